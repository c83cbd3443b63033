-- First start of eda_database-services: the database of eda and the user it signs in as. Nothing of this user's is a superuser's: it owns
-- its database and may create the roles that eda's migrations make (eda_app, eda_leitor, eda_auditor).
\set ON_ERROR_STOP on
\set password `cat "$EDA_DATABASE_PASSWORD_FILE"`
CREATE ROLE eda LOGIN NOSUPERUSER NOCREATEDB CREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
\unset password
CREATE DATABASE eda OWNER eda TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8';
REVOKE ALL ON DATABASE eda, postgres, template1 FROM PUBLIC;
\connect eda
-- Objects are made by the owner, and seen by the roles it grants them to.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
ALTER SCHEMA public OWNER TO eda;
