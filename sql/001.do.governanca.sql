-- Governança: projetos, execuções, inventários, linhagem, auditoria e registro de execução.

CREATE TABLE projetos (
  nome       text PRIMARY KEY CHECK (nome ~ '^[a-z][a-z0-9_-]{0,62}$'),
  criado_em  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE projetos IS 'Projetos governados neste espaço de trabalho.';

CREATE TABLE execucoes (
  execucao              text PRIMARY KEY,
  projeto               text NOT NULL,
  etapa                 text NOT NULL CHECK (etapa IN ('capture', 'ingest', 'staging', 'curation', 'datasets', 'modeling', 'deploy')),
  estado                text NOT NULL CHECK (estado IN ('waiting', 'planning', 'committing-before', 'executing', 'publishing', 'committing-after',
                                                        'succeeded', 'unchanged', 'failed', 'cancelled')),
  forcada               boolean NOT NULL,
  ator                  text NOT NULL,
  commit_antes          text,
  commit_depois         text,
  totais                jsonb,
  impressao             text,
  erro                  jsonb,
  detalhes              jsonb NOT NULL DEFAULT '{}',
  pedido_em             timestamptz NOT NULL,
  iniciado_em           timestamptz,
  terminado_em          timestamptz,
  auditoria_sequencia   bigint
);
COMMENT ON TABLE execucoes IS 'Uma linha por execução de etapa, com o estado atual.';
COMMENT ON COLUMN execucoes.impressao IS 'Hash de entradas e código: igual ao da última execução bem-sucedida, não há nada a fazer.';
COMMENT ON COLUMN execucoes.auditoria_sequencia IS 'Entrada de auditoria da publicação; preenchida uma única vez.';
CREATE INDEX execucoes_por_pedido ON execucoes (pedido_em DESC, execucao DESC);
CREATE INDEX execucoes_por_etapa ON execucoes (projeto, etapa, pedido_em DESC, execucao DESC);
CREATE INDEX execucoes_ativas ON execucoes (pedido_em DESC) WHERE estado NOT IN ('succeeded', 'unchanged', 'failed', 'cancelled');

CREATE TABLE inventario_dados (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  projeto        text NOT NULL,
  nome           text NOT NULL,
  papel          text NOT NULL CHECK (papel IN ('data', 'quarantine', 'metadata', 'model', 'output')),
  tipo_midia     text NOT NULL,
  bucket         text NOT NULL,
  chave          text NOT NULL,
  versao_id      text NOT NULL,
  tamanho        bigint NOT NULL CHECK (tamanho >= 0),
  md5            text NOT NULL CHECK (md5 ~ '^[0-9a-f]{32}$'),
  sha256         text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  linhas         bigint CHECK (linhas >= 0),
  apelido_de     text,
  detalhes       jsonb NOT NULL,
  execucao       text NOT NULL,
  commit_antes   text NOT NULL,
  vigente        boolean NOT NULL DEFAULT true,
  registrado_em  timestamptz NOT NULL DEFAULT now(),
  resumo         text NOT NULL
);
COMMENT ON TABLE inventario_dados IS 'Inventário dos dados brutos (bucket raw-data).';
COMMENT ON COLUMN inventario_dados.nome IS 'Único entre as linhas vigentes do projeto.';
COMMENT ON COLUMN inventario_dados.apelido_de IS 'Nome da linha que guarda o mesmo conteúdo.';
COMMENT ON COLUMN inventario_dados.vigente IS 'Falso quando uma execução posterior registrou outra linha do mesmo nome.';
COMMENT ON COLUMN inventario_dados.resumo IS 'SHA-256 dos campos registrados: uma linha alterada à mão não confere mais.';
CREATE UNIQUE INDEX inventario_dados_vigente ON inventario_dados (projeto, nome) WHERE vigente;
CREATE INDEX inventario_dados_conteudo ON inventario_dados (projeto, sha256) WHERE vigente AND apelido_de IS NULL;
CREATE INDEX inventario_dados_objeto ON inventario_dados (bucket, chave);
CREATE INDEX inventario_dados_execucao ON inventario_dados (execucao);
CREATE INDEX inventario_dados_nome ON inventario_dados (nome, id);

CREATE TABLE staging_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE staging_inventario IS 'Inventário das tabelas de staging (bucket staging-data).';
CREATE TABLE curated_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE curated_inventario IS 'Inventário das tabelas curadas (bucket curated-data).';
CREATE TABLE datasets_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE datasets_inventario IS 'Inventário dos datasets para modelagem (bucket datasets).';
CREATE TABLE models_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE models_inventario IS 'Inventário de modelos e saídas (buckets models e outputs).';

CREATE TABLE capturas (
  projeto        text NOT NULL,
  drive_id       text NOT NULL,
  drive_versao   text NOT NULL,
  caminho        text NOT NULL,
  tamanho        bigint NOT NULL,
  sha256         text NOT NULL,
  modificado_em  timestamptz NOT NULL,
  dono           text,
  nome_drive     text NOT NULL,
  execucao       text NOT NULL
);
COMMENT ON TABLE capturas IS 'O que a captura já trouxe do Drive, para trazer só o que mudou.';
-- Os identificadores podem ser caminhos longos: o índice guarda o hash deles.
CREATE UNIQUE INDEX capturas_chave ON capturas (projeto, md5(drive_id));

CREATE TABLE cache_arquivos (
  projeto   text NOT NULL,
  caminho   text NOT NULL,
  tamanho   bigint NOT NULL,
  mtime_ns  text NOT NULL,
  ctime_ns  text NOT NULL,
  inode     text NOT NULL,
  md5       text NOT NULL,
  sha256    text NOT NULL
);
COMMENT ON TABLE cache_arquivos IS 'Arquivos locais já lidos: sem mudança de tamanho e datas, não são lidos de novo.';
CREATE UNIQUE INDEX cache_arquivos_chave ON cache_arquivos (projeto, md5(caminho));

CREATE TABLE trabalhos (
  trabalho      text PRIMARY KEY,
  projeto       text NOT NULL,
  execucao      text NOT NULL,
  estado        text NOT NULL CHECK (estado IN ('running', 'succeeded', 'failed', 'cancelled')),
  treinador     text NOT NULL,
  acelerador    text NOT NULL,
  metricas      jsonb NOT NULL,
  parametros    jsonb NOT NULL,
  artefatos     jsonb NOT NULL,
  iniciado_em   timestamptz NOT NULL,
  terminado_em  timestamptz
);
COMMENT ON TABLE trabalhos IS 'Trabalhos de treino, com métricas e artefatos.';
CREATE INDEX trabalhos_por_projeto ON trabalhos (projeto, iniciado_em DESC);

CREATE TABLE linhagem (
  de        text NOT NULL,
  para      text NOT NULL,
  execucao  text NOT NULL
);
COMMENT ON TABLE linhagem IS 'Arestas da linhagem: do que foi lido para o que foi feito.';
-- Um URI pode passar do tamanho que um índice B-tree aceita.
CREATE UNIQUE INDEX linhagem_chave ON linhagem (execucao, md5(para), md5(de));
CREATE INDEX linhagem_para ON linhagem (md5(para));

CREATE TABLE auditoria (
  sequencia  bigint PRIMARY KEY CHECK (sequencia > 0),
  evento     text NOT NULL,
  projeto    text,
  etapa      text,
  execucao   text,
  ator       text NOT NULL,
  em         timestamptz NOT NULL,
  dados      jsonb NOT NULL,
  anterior   text NOT NULL,
  resumo     text NOT NULL UNIQUE
);
COMMENT ON TABLE auditoria IS 'Cadeia de auditoria: só cresce, e cada entrada confirma a anterior.';
CREATE INDEX auditoria_execucao ON auditoria (execucao);

CREATE FUNCTION auditoria_imutavel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'auditoria só aceita inclusão: % recusado', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER auditoria_sem_alteracao BEFORE UPDATE OR DELETE ON auditoria FOR EACH ROW EXECUTE FUNCTION auditoria_imutavel();
CREATE TRIGGER auditoria_sem_truncamento BEFORE TRUNCATE ON auditoria FOR EACH STATEMENT EXECUTE FUNCTION auditoria_imutavel();

CREATE TABLE logs (
  execucao   text NOT NULL,
  sequencia  integer NOT NULL CHECK (sequencia > 0),
  em         timestamptz NOT NULL,
  nivel      text NOT NULL CHECK (nivel IN ('debug', 'info', 'warn', 'error')),
  mensagem   text NOT NULL,
  PRIMARY KEY (execucao, sequencia)
);
COMMENT ON TABLE logs IS 'Linhas de registro das execuções, quando o MongoDB não está configurado.';
