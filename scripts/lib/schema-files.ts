import { z } from "zod";
import { jobFolderSchema } from "../../src/domain/job/format.ts";
import { projectSchema } from "../../src/domain/project.ts";
import { settingsSchema } from "../../src/domain/settings.ts";

/** What `schemas/` holds: file name and text. A test compares it with what is there. */
export function schemaFiles(): readonly { readonly name: string; readonly text: string }[] {
  return [
    schemaFile("project.schema.json", projectSchema, "Project file of eda · Arquivo de projeto do eda"),
    schemaFile("job.schema.json", jobFolderSchema, "Documents of a job folder of eda · Documentos de uma pasta de trabalho do eda"),
    schemaFile("settings.schema.json", settingsSchema, "Settings of an eda workspace · Configurações de um workspace eda"),
  ];
}

/** What a person writes is the input: what has a default need not be there. Draft 7 is what the editors' YAML support knows best. */
function schemaFile(name: string, schema: z.ZodType, title: string): { readonly name: string; readonly text: string } {
  const document = z.toJSONSchema(schema, { io: "input", target: "draft-7" });
  return { name, text: `${JSON.stringify({ ...document, title }, null, 2)}\n` };
}
