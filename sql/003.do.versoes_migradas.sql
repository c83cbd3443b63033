-- Versões de objetos que mudaram de armazenamento. O identificador registrado (inventários, linhagem, manifestos, auditoria) continua a
-- valer, porque os resumos o cobrem; aqui se lê qual é o da mesma versão no armazenamento de agora.

CREATE TABLE versoes_migradas (
  bucket        text NOT NULL,
  chave         text COLLATE "C" NOT NULL,
  versao_id     text COLLATE "C" NOT NULL,
  versao_atual  text COLLATE "C" NOT NULL,
  PRIMARY KEY (bucket, chave, versao_id)
);
COMMENT ON TABLE versoes_migradas IS 'De cada versão de objeto que foi movida, o identificador registrado e o do armazenamento atual.';
COMMENT ON COLUMN versoes_migradas.versao_id IS 'Identificador com que a versão foi registrada: nunca muda.';
COMMENT ON COLUMN versoes_migradas.versao_atual IS 'Identificador da mesma versão no armazenamento em que está agora.';
CREATE INDEX versoes_migradas_atuais ON versoes_migradas (bucket, chave, versao_atual);

-- Quem cria papéis mais tarde dá com eles também o direito a esta tabela.
ALTER FUNCTION conceder_papeis() RENAME TO conceder_papeis_002;
CREATE FUNCTION conceder_papeis() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM conceder_papeis_002();
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'eda_app') THEN
    GRANT SELECT ON versoes_migradas TO eda_app;
    -- Só quem move dados, como dono do banco, escreve aqui.
    REVOKE INSERT ON versoes_migradas FROM eda_app;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'eda_auditor') THEN
    GRANT SELECT ON versoes_migradas TO eda_auditor;
  END IF;
END
$$;
COMMENT ON FUNCTION conceder_papeis() IS 'Cria os papéis que faltam e dá a cada um os seus direitos neste banco; pode ser repetida.';
REVOKE EXECUTE ON FUNCTION conceder_papeis() FROM PUBLIC;

SELECT conceder_papeis();
