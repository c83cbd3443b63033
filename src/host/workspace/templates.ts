/** What `eda init` lays out: text that a person reads and edits, so it is in Portuguese, as the repository is. */
import { GOVERNED_FOLDERS, projectFilePath, SETTINGS_FILE } from "../../domain/governed.ts";

/** A file by its path in the repository, with `/`. */
export interface TemplateFile {
  readonly path: string;
  readonly text: string;
}

const FOLDER_READMES: Readonly<Record<(typeof GOVERNED_FOLDERS)[number], string>> = {
  infra: `# infra

Como os serviços são postos no ar: arquivos de stack, redes, volumes, políticas. A stack do eda (\`infra/stack.yml\`, \`infra/compose.yml\` e os scripts
ao lado) vem do repositório do eda; copie-a para cá quando a mudar, para que a mudança seja governada. Segredos não entram aqui nem em nenhum
arquivo do Git: \`infra/.env\` e \`infra/secrets/\` são ignorados.
`,
  notebooks: `# notebooks

Notebooks de modelagem, um diretório por projeto: \`notebooks/<projeto>/<nome>.ipynb\`. O arquivo do projeto diz qual deles a etapa de
modelagem executa (\`modeling.notebook\`). Guarde-os sem saídas: a execução governada guarda as dela no object store.

O notebook recebe, além dos parâmetros do projeto, \`eda_data_dir\` (com \`train.parquet\`, \`validation.parquet\` e \`test.parquet\`) e
\`eda_results_dir\`, onde grava o modelo e \`metrics.json\`.
`,
  scripts: `# scripts

Scripts auxiliares dos projetos.
`,
  sql: `# sql

SQL dos projetos. A curadoria de um projeto são os arquivos \`sql/<projeto>/curated/<tabela>.sql\`, cada um com um único SELECT sobre as tabelas de
staging ou sobre outras tabelas curadas; a ordem é descoberta pelo que cada um lê.
`,
  eda: `# eda

Registros da governança. \`eda/manifests/\` é escrito pelas execuções e não se edita. \`eda/raw-data/\` recebe os dados capturados e nunca
entra no Git.
`,
  dockerfiles: `# dockerfiles

Imagens dos contêineres dos projetos, por exemplo uma que parte de \`eda/jupyter-cpu\` e acrescenta pacotes de Python.
`,
  configs: `# configs

\`configs/eda.yaml\` configura este repositório; \`configs/projects/<projeto>.yaml\` descreve um projeto: de onde vêm os dados, como são tipados,
curados, divididos, modelados e entregues.
`,
};

const README = `# Repositório governado

Dados, do Google Drive ao modelo, em sete etapas: captura, ingestão, staging, curadoria, datasets, modelagem e deploy. Cada execução de uma etapa é
registrada por dois commits, antes e depois, e pode ser refeita e conferida.

| pasta | conteúdo |
|---|---|
| \`configs/\` | configuração e um arquivo por projeto |
| \`sql/\` | curadoria dos projetos |
| \`notebooks/\` | modelagem |
| \`scripts/\`, \`infra/\`, \`dockerfiles/\` | código auxiliar e infraestrutura |
| \`eda/\` | manifestos das execuções; \`eda/raw-data/\` fica fora do Git |

Comandos mais usados: \`eda status\`, \`eda run all --project <projeto>\`, \`eda inventory raw\`, \`eda lineage <artefato>\`, \`eda verify\`.
`;

const GITIGNORE = `# Estado local do eda: host, banco de dados embutido, object store local, cache.
.eda/
# Dados capturados: governados pelos inventários, nunca pelo Git.
eda/raw-data/
.ipynb_checkpoints/
__pycache__/
.env
infra/secrets/
`;

const SETTINGS = `# Configuração deste repositório. Tudo tem um valor padrão, mostrado aqui; tire o # para mudar.
# Segredos não entram neste arquivo.

# git:
#   # Maior arquivo governado, em bytes.
#   maxFileBytes: 5242880
#   # Remoto que recebe os commits, quando existe.
#   pushRemote: origin

# engine:
#   # Memória do motor SQL, em MiB; acima dela, usa o disco.
#   memoryLimitMiB: 512
#   threads: 2

# jupyter:
#   # Servidor Jupyter que veja esta pasta pelo mesmo caminho; sem ele, cada treino tem o seu próprio, nesta máquina.
#   # O token vem de EDA_JUPYTER_TOKEN ou do arquivo em EDA_JUPYTER_TOKEN_FILE.
#   url: http://localhost:8888/

# jobs:
#   # Tempos dos trabalhos de treino, em segundos. No lugar de {}, por exemplo, os valores padrão:
#   # { beatSeconds: 60, lateSeconds: 300, suspectSeconds: 900, lostSeconds: 1800 }
#   limits: {}

# colab: {}
#   # Pasta do Drive abaixo da qual ficam os trabalhos, em eda/. No lugar de {}, por exemplo: { folder: projetos }
#   # Para modeling.trainer: colab-enterprise:
#   # { enterprise: { project: meu-projeto, bucket: modelos, serviceAccount: treino@meu-projeto.iam.gserviceaccount.com } }

# stores: {}
#   # Servidores no lugar do que fica em .eda; segredos vêm do ambiente, por exemplo de EDA_S3_SECRET_KEY_FILE. No lugar de {}, por exemplo:
#   # { objects: { endpoint: "https://minio.example:9000", accessKey: eda }, database: { host: db.example }, drive: { kind: google } }
`;

/** Folders, settings and front page of a governed repository. */
export function workspaceTemplate(): TemplateFile[] {
  return [
    { path: ".gitignore", text: GITIGNORE },
    { path: "README.md", text: README },
    { path: SETTINGS_FILE, text: SETTINGS },
    ...GOVERNED_FOLDERS.map((folder) => ({ path: `${folder}/README.md`, text: FOLDER_READMES[folder] })),
  ];
}

/**
 * A project file that is valid as it is and says how to go on: lines with one `#` are an example, which is valid too once they are
 * uncommented; lines with two explain it.
 */
export function projectTemplate(project: string): TemplateFile {
  return {
    path: projectFilePath(project),
    text: `# Projeto ${project}.
project: ${project}

drive:
  # Pasta que a captura lê: caminho absoluto ou relativo a este repositório.
  folder: .eda/drive/${project}
  # include: ["**/*"]
  # exclude: ["rascunhos/**"]

## Abaixo, um exemplo: tire o # das linhas e adapte.

# staging:
#   tables:
#     - name: clientes
##     Arquivos brutos que formam a tabela.
#       files: ["clientes/*.csv"]
#       format: csv
#       csv: { delimiter: ";", encoding: latin-1 }
##     Limpeza de todas as colunas de texto.
#       clean: [trim, collapse]
##     Table Schema do Frictionless. A linha que viola uma restrição vai à quarentena, com o motivo.
#       schema:
#         missingValues: ["", "N/D"]
#         primaryKey: [id]
#         fields:
#           - { name: id, source: Código, type: integer, constraints: { required: true, minimum: 1 } }
#           - { name: nascimento, source: Nascimento, type: date, format: "%d/%m/%Y" }
#           - { name: renda, source: Renda, type: number, decimalChar: ",", groupChar: "." }
#           - { name: ativo, source: Ativo, type: boolean, trueValues: [S], falseValues: [N] }
##     Com mais rejeições do que isto, a execução falha: fração de 0 a 1 (maxShare) ou quantidade (maxCount).
#       rejects: { maxShare: 0.01 }

## A curadoria são os arquivos sql/${project}/curated/<tabela>.sql.

# datasets:
#   - name: clientes_renda
##   Tabela curada.
#     from: clientes_atributos
##   O hash destas colunas decide a partição: as mesmas linhas em qualquer máquina.
#     key: [id]
#     splits: { train: 0.7, validation: 0.15, test: 0.15 }
##   Em vez do hash, um corte no tempo: { column: data, validationFrom: "2026-05-01", testFrom: "2026-06-01" } em time.

# modeling:
#   notebook: notebooks/${project}/modelo.ipynb
#   dataset: clientes_renda
#   parameters: { semente: 1 }
#   timeoutMinutes: 60

# deploy:
#   model:
#     name: renda
##   Arquivos que o notebook grava em eda_results_dir.
#     files: [modelo.onnx]
#   outputs: [metrics.json]
`,
  };
}
