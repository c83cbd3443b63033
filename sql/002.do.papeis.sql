-- Papéis de menor privilégio: eda_app trabalha, eda_leitor lê, eda_auditor lê também a auditoria. São grupos sem login e valem para o servidor
-- inteiro: outro banco pode tê-los criado. Quem migra e não pode criar papéis recebe um aviso; quando o administrador os criar (e der
-- eda_app a quem trabalha), o dono do banco chama conceder_papeis().

CREATE FUNCTION conceder_papeis() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  esquema text := quote_ident(current_schema());
  papel text;
BEGIN
  FOREACH papel IN ARRAY ARRAY['eda_app', 'eda_leitor', 'eda_auditor'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = papel) THEN
      BEGIN
        EXECUTE format('CREATE ROLE %I NOLOGIN', papel);
      EXCEPTION
        WHEN duplicate_object OR unique_violation THEN NULL;
        WHEN insufficient_privilege THEN
          RAISE WARNING 'o papel % não existe e % não pode criá-lo: peça ao administrador e chame conceder_papeis()', papel, current_user;
          CONTINUE;
      END;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %s TO %I', esquema, papel);
    EXECUTE format('GRANT SELECT ON projetos, execucoes, inventario_dados, staging_inventario, curated_inventario, datasets_inventario,
                                    models_inventario, linhagem, migracoes TO %I', papel);
    -- Uma tabela futura é lida por quem trabalha e por quem audita; o leitor só vê o que lhe for dado.
    IF papel <> 'eda_leitor' THEN
      EXECUTE format('GRANT SELECT ON auditoria TO %I', papel);
      EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT SELECT ON TABLES TO %I', esquema, papel);
    END IF;
    CONTINUE WHEN papel <> 'eda_app';
    GRANT SELECT ON capturas, cache_arquivos, trabalhos, logs TO eda_app;
    GRANT INSERT ON projetos, execucoes, inventario_dados, staging_inventario, curated_inventario, datasets_inventario, models_inventario,
                    capturas, cache_arquivos, trabalhos, linhagem, auditoria, logs TO eda_app;
    GRANT UPDATE ON execucoes, capturas, cache_arquivos, trabalhos TO eda_app;
    -- Uma linha registrada só deixa de ser vigente; o resto dela não muda.
    GRANT UPDATE (vigente) ON inventario_dados, staging_inventario, curated_inventario, datasets_inventario, models_inventario TO eda_app;
    EXECUTE format('ALTER DEFAULT PRIVILEGES IN SCHEMA %s GRANT INSERT ON TABLES TO eda_app', esquema);
    -- Quem migra trabalha depois como eda_app, se puder dar o papel a si mesmo.
    IF NOT pg_has_role(current_user, 'eda_app', CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) THEN
      BEGIN
        EXECUTE format('GRANT eda_app TO %I', current_user);
      EXCEPTION WHEN insufficient_privilege THEN
        RAISE WARNING 'não foi possível dar eda_app a %: peça ao administrador', current_user;
      END;
    END IF;
  END LOOP;
END
$$;
COMMENT ON FUNCTION conceder_papeis() IS 'Cria os papéis que faltam e dá a cada um os seus direitos neste banco; pode ser repetida.';
REVOKE EXECUTE ON FUNCTION conceder_papeis() FROM PUBLIC;

SELECT conceder_papeis();
