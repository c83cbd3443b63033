-- Governança: projetos, execuções, inventários, linhagem, auditoria e registro de execução.
-- Textos que ordenam ou identificam usam COLLATE "C": a ordem é a dos bytes, igual em qualquer banco, seja qual for o idioma dele.
-- Documentos são json e não jsonb, que recusa U+0000 e troca a grafia dos números: o que se lê de volta é o que foi registrado.

CREATE TABLE projetos (
  nome       text COLLATE "C" PRIMARY KEY CHECK (nome ~ '^[a-z][a-z0-9_-]{0,62}$'),
  criado_em  timestamptz(3) NOT NULL DEFAULT now()
);
COMMENT ON TABLE projetos IS 'Projetos governados neste espaço de trabalho.';

CREATE TABLE execucoes (
  execucao              text COLLATE "C" PRIMARY KEY,
  projeto               text COLLATE "C" NOT NULL,
  etapa                 text NOT NULL CHECK (etapa IN ('capture', 'ingest', 'staging', 'curation', 'datasets', 'modeling', 'deploy')),
  estado                text NOT NULL CHECK (estado IN ('waiting', 'planning', 'committing-before', 'executing', 'publishing', 'committing-after',
                                                        'succeeded', 'unchanged', 'failed', 'cancelled')),
  forcada               boolean NOT NULL,
  ator                  text NOT NULL,
  commit_antes          text,
  commit_depois         text,
  totais                json,
  impressao             text,
  erro                  json,
  detalhes              json NOT NULL,
  pedido_em             timestamptz(3) NOT NULL,
  iniciado_em           timestamptz(3),
  terminado_em          timestamptz(3),
  auditoria_sequencia   bigint
);
COMMENT ON TABLE execucoes IS 'Uma linha por execução de etapa, com o estado atual.';
COMMENT ON COLUMN execucoes.impressao IS 'Hash de entradas e código: igual ao da última execução bem-sucedida, não há nada a fazer.';
COMMENT ON COLUMN execucoes.auditoria_sequencia IS 'Entrada de auditoria da publicação; nula enquanto nada foi publicado.';
CREATE INDEX execucoes_por_pedido ON execucoes (pedido_em DESC, execucao DESC);
CREATE INDEX execucoes_por_etapa ON execucoes (projeto, etapa, pedido_em DESC, execucao DESC);
CREATE INDEX execucoes_ativas ON execucoes (pedido_em DESC, execucao DESC) WHERE estado NOT IN ('succeeded', 'unchanged', 'failed', 'cancelled');

CREATE TABLE inventario_dados (
  id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  projeto        text COLLATE "C" NOT NULL,
  nome           text COLLATE "C" NOT NULL CHECK (nome <> ''),
  papel          text NOT NULL CHECK (papel IN ('data', 'quarantine', 'metadata', 'model', 'output')),
  tipo_midia     text NOT NULL,
  bucket         text NOT NULL,
  chave          text COLLATE "C" NOT NULL,
  versao_id      text NOT NULL,
  tamanho        bigint NOT NULL CHECK (tamanho >= 0),
  md5            text NOT NULL CHECK (octet_length(decode(md5, 'hex')) = 16),
  sha256         text COLLATE "C" NOT NULL CHECK (octet_length(decode(sha256, 'hex')) = 32),
  linhas         bigint CHECK (linhas >= 0),
  apelido_de     text COLLATE "C" CHECK (apelido_de <> nome),
  detalhes       json NOT NULL,
  execucao       text COLLATE "C" NOT NULL,
  commit_antes   text NOT NULL,
  vigente        boolean NOT NULL DEFAULT true,
  registrado_em  timestamptz(3) NOT NULL DEFAULT now(),
  resumo         text NOT NULL CHECK (octet_length(decode(resumo, 'hex')) = 32)
);
COMMENT ON TABLE inventario_dados IS 'Inventário dos dados brutos (bucket raw-data).';
COMMENT ON COLUMN inventario_dados.nome IS 'Único entre as linhas vigentes do projeto.';
COMMENT ON COLUMN inventario_dados.apelido_de IS 'Nome da linha que guarda o mesmo conteúdo; nulo em quem guarda o objeto.';
COMMENT ON COLUMN inventario_dados.vigente IS 'Falso quando outra linha do mesmo nome foi registrada depois, ou o nome foi retirado.';
COMMENT ON COLUMN inventario_dados.resumo IS 'SHA-256 dos campos registrados: uma linha alterada à mão não confere mais.';
CREATE UNIQUE INDEX inventario_dados_vigente ON inventario_dados (projeto, nome) WHERE vigente;
CREATE INDEX inventario_dados_ordem ON inventario_dados (projeto, nome, id);
CREATE INDEX inventario_dados_objeto ON inventario_dados (chave, bucket);

CREATE TABLE staging_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE staging_inventario IS 'Inventário das tabelas de staging (bucket staging-data).';
CREATE TABLE curated_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE curated_inventario IS 'Inventário das tabelas curadas (bucket curated-data).';
CREATE TABLE datasets_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE datasets_inventario IS 'Inventário dos datasets para modelagem (bucket datasets).';
CREATE TABLE models_inventario (LIKE inventario_dados INCLUDING ALL);
COMMENT ON TABLE models_inventario IS 'Inventário de modelos e saídas (buckets models e outputs).';

-- O mesmo conteúdo bruto é guardado uma só vez por projeto; tabelas de etapas seguintes podem bem ser iguais (vazias, por exemplo).
CREATE UNIQUE INDEX inventario_dados_conteudo ON inventario_dados (projeto, sha256) WHERE vigente AND apelido_de IS NULL;

CREATE TABLE capturas (
  projeto        text COLLATE "C" NOT NULL,
  drive_id       text COLLATE "C" NOT NULL,
  drive_versao   text NOT NULL,
  caminho        text COLLATE "C" NOT NULL,
  tamanho        bigint NOT NULL CHECK (tamanho >= 0),
  sha256         text NOT NULL,
  modificado_em  timestamptz(3) NOT NULL,
  dono           text,
  nome_drive     text NOT NULL,
  execucao       text COLLATE "C" NOT NULL
);
COMMENT ON TABLE capturas IS 'O que a captura já trouxe do Drive, para trazer só o que mudou.';
-- Os identificadores podem ser caminhos longos: o índice guarda o hash deles.
CREATE UNIQUE INDEX capturas_chave ON capturas (projeto, (md5(drive_id)::uuid));

CREATE TABLE cache_arquivos (
  projeto   text COLLATE "C" NOT NULL,
  caminho   text COLLATE "C" NOT NULL,
  tamanho   bigint NOT NULL CHECK (tamanho >= 0),
  mtime_ns  text NOT NULL,
  ctime_ns  text NOT NULL,
  inode     text NOT NULL,
  md5       text NOT NULL,
  sha256    text NOT NULL
);
COMMENT ON TABLE cache_arquivos IS 'Arquivos locais já lidos: sem mudança de tamanho e datas, não são lidos de novo.';
CREATE UNIQUE INDEX cache_arquivos_chave ON cache_arquivos (projeto, (md5(caminho)::uuid));

CREATE TABLE trabalhos (
  trabalho      text COLLATE "C" PRIMARY KEY,
  projeto       text COLLATE "C" NOT NULL,
  execucao      text COLLATE "C" NOT NULL,
  estado        text NOT NULL CHECK (estado IN ('running', 'succeeded', 'failed', 'cancelled')),
  treinador     text NOT NULL,
  acelerador    text NOT NULL,
  metricas      json NOT NULL,
  parametros    json NOT NULL,
  artefatos     json NOT NULL,
  iniciado_em   timestamptz(3) NOT NULL,
  terminado_em  timestamptz(3)
);
COMMENT ON TABLE trabalhos IS 'Trabalhos de treino, com métricas e artefatos.';
COMMENT ON COLUMN trabalhos.acelerador IS 'O que de fato treinou, por exemplo "cpu, jupyter local".';
CREATE INDEX trabalhos_por_inicio ON trabalhos (iniciado_em DESC, trabalho DESC);
CREATE INDEX trabalhos_por_projeto ON trabalhos (projeto, iniciado_em DESC, trabalho DESC);

CREATE TABLE linhagem (
  de        text COLLATE "C" NOT NULL,
  para      text COLLATE "C" NOT NULL,
  execucao  text COLLATE "C" NOT NULL
);
COMMENT ON TABLE linhagem IS 'Arestas da linhagem: do que foi lido para o que foi feito.';
COMMENT ON COLUMN linhagem.de IS 'URI do ativo lido (tipo:nome@versão).';
COMMENT ON COLUMN linhagem.para IS 'URI do ativo feito.';
-- Um URI pode passar do tamanho que um índice B-tree aceita.
CREATE UNIQUE INDEX linhagem_chave ON linhagem ((md5(para)::uuid), (md5(de)::uuid), execucao);

CREATE TABLE auditoria (
  sequencia  bigint PRIMARY KEY CHECK (sequencia > 0),
  evento     text NOT NULL,
  projeto    text,
  etapa      text,
  execucao   text COLLATE "C",
  ator       text NOT NULL,
  em         timestamptz(3) NOT NULL,
  dados      json NOT NULL,
  anterior   text NOT NULL,
  resumo     text NOT NULL
);
COMMENT ON TABLE auditoria IS 'Cadeia de auditoria: só cresce, e cada entrada confirma a anterior.';
COMMENT ON COLUMN auditoria.anterior IS 'Resumo da entrada anterior; 64 zeros na primeira.';
COMMENT ON COLUMN auditoria.resumo IS 'SHA-256 da sequência, do resumo anterior e do conteúdo, na forma canônica (RFC 8785).';

CREATE FUNCTION auditoria_imutavel() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'auditoria só aceita inclusão: % recusado', TG_OP USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER auditoria_so_inclusao BEFORE UPDATE OR DELETE OR TRUNCATE ON auditoria
  FOR EACH STATEMENT EXECUTE FUNCTION auditoria_imutavel();

-- Sem referência a execucoes: linhas podem chegar antes da execução.
CREATE TABLE logs (
  execucao   text COLLATE "C" NOT NULL,
  sequencia  bigint NOT NULL CHECK (sequencia > 0),
  em         timestamptz(3) NOT NULL,
  nivel      text NOT NULL CHECK (nivel IN ('debug', 'info', 'warn', 'error')),
  mensagem   text NOT NULL,
  PRIMARY KEY (execucao, sequencia)
);
COMMENT ON TABLE logs IS 'Linhas de registro das execuções, quando o MongoDB não está configurado.';
