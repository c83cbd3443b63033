/** One field of a Table Schema as SQL: cleaned text, typed value, and what each can be rejected for. */
import type { CleaningRule, TableField, TableSchema } from "../../../domain/project.ts";
import { literal } from "../sql.ts";

/** Column types of staging tables, by Frictionless type. */
export const SQL_TYPES: Readonly<Record<TableField["type"], string>> = {
  string: "VARCHAR",
  integer: "BIGINT",
  number: "DOUBLE",
  boolean: "BOOLEAN",
  date: "DATE",
  datetime: "TIMESTAMP",
  time: "TIME",
};

const TYPE_REASONS: Readonly<Record<TableField["type"], string>> = {
  string: "not a string",
  integer: "not an integer",
  number: "not a number",
  boolean: "not a boolean",
  date: "not a date",
  datetime: "not a datetime",
  time: "not a time",
};

/** Everything Unicode calls a space, and the byte order mark that files joined by hand carry in their middle. */
const SPACES = "\\s\\x{0B}\\x{85}\\x{FEFF}\\p{Z}";

export interface FieldInput {
  readonly field: TableField;
  /** Expression of the column in the source. */
  readonly source: string;
  /** Its type there: VARCHAR for every text format, its own for Parquet. */
  readonly sourceType: string;
}

export interface Check {
  /** True for a row that breaks it; never null. */
  readonly broken: string;
  /** `delay: minimum -120` */
  readonly reason: string;
}

/** Cleaned and with missing values as NULL. @param rules of the whole table, applied first */
export function cleanedSql({ field, source, sourceType }: FieldInput, rules: readonly CleaningRule[], schema: TableSchema): string {
  if (isNative(field, sourceType, rules)) return source;
  const text = sourceType === "VARCHAR" ? source : `CAST(${source} AS VARCHAR)`;
  const clean = [...rules, ...(field.clean ?? [])].reduce(applyRule, text);
  const missing = field.missingValues ?? schema.missingValues;
  if (missing.length === 0) return clean;
  return `CASE WHEN ${clean} IN (${missing.map(literal).join(", ")}) THEN NULL ELSE ${clean} END`;
}

/** The typed value of a cleaned one; NULL when it has no such value. @param cleaned name of the column that holds it */
export function typedSql({ field, sourceType }: FieldInput, cleaned: string, rules: readonly CleaningRule[]): string {
  return isNative(field, sourceType, rules) ? nativeSql(field, cleaned, sourceType) : textSql(field, cleaned);
}

/** What a row is rejected for, in the order in which it is said. @param cleaned, typed names of the columns */
export function checksOf({ field }: FieldInput, cleaned: string, typed: string): Check[] {
  const { name, type } = field;
  const rules = field.constraints ?? {};
  const checks: Check[] = [{ broken: `${cleaned} IS NOT NULL AND ${typed} IS NULL`, reason: `${name}: ${TYPE_REASONS[type]}` }];
  const add = (condition: string, reason: string) => checks.push({ broken: `coalesce(${condition}, false)`, reason: `${name}: ${reason}` });
  const text = type === "string" ? typed : `CAST(${cleaned} AS VARCHAR)`;
  if (rules.required === true) add(`${cleaned} IS NULL`, "required");
  if (rules.minimum !== undefined) add(`${typed} < ${valueSql(field, rules.minimum)}`, `minimum ${rules.minimum}`);
  if (rules.maximum !== undefined) add(`${typed} > ${valueSql(field, rules.maximum)}`, `maximum ${rules.maximum}`);
  if (rules.minLength !== undefined) add(`length(${text}) < ${rules.minLength}`, `minLength ${rules.minLength}`);
  if (rules.maxLength !== undefined) add(`length(${text}) > ${rules.maxLength}`, `maxLength ${rules.maxLength}`);
  if (rules.pattern !== undefined) add(`NOT regexp_full_match(${text}, ${literal(rules.pattern)})`, `pattern ${rules.pattern}`);
  if (rules.enum !== undefined) {
    add(`${typed} NOT IN (${rules.enum.map((value) => valueSql(field, value)).join(", ")})`, `enum ${rules.enum.join(", ")}`);
  }
  return checks;
}

/** A constraint's value, in the field's type. */
function valueSql(field: TableField, value: string | number): string {
  return `CAST(${literal(String(value))} AS ${SQL_TYPES[field.type]})`;
}

function applyRule(text: string, rule: CleaningRule): string {
  switch (rule) {
    case "trim":
      return `regexp_replace(${text}, '^[${SPACES}]+|[${SPACES}]+$', '', 'g')`;
    case "collapse":
      return `regexp_replace(${text}, '[${SPACES}]+', ' ', 'g')`;
    case "lower":
      return `lower(${text})`;
    case "upper":
      return `upper(${text})`;
    default:
      return rule.regex
        ? `regexp_replace(${text}, ${literal(rule.replace)}, ${literal(rule.with)}, 'g')`
        : `replace(${text}, ${literal(rule.replace)}, ${literal(rule.with)})`;
  }
}

function textSql(field: TableField, text: string): string {
  const { type, format } = field;
  switch (type) {
    case "string":
      return text;
    case "integer": {
      const digits = without(text, field.groupChar);
      return `CASE WHEN regexp_full_match(${digits}, '[+-]?[0-9]+') THEN TRY_CAST(${digits} AS BIGINT) END`;
    }
    case "number": {
      const plain = without(text, field.groupChar);
      const number =
        (field.decimalChar ?? ".") === "." ? plain : `replace(replace(${plain}, '.', '?'), ${literal(field.decimalChar as string)}, '.')`;
      const form = "'[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?'";
      return `CASE WHEN regexp_full_match(${number}, ${form}) AND isfinite(TRY_CAST(${number} AS DOUBLE)) THEN TRY_CAST(${number} AS DOUBLE) END`;
    }
    case "boolean": {
      const among = (values: readonly string[]) => `${text} IN (${values.map(literal).join(", ")})`;
      const whenTrue = among(field.trueValues ?? ["true", "True", "TRUE", "1"]);
      return `CASE WHEN ${whenTrue} THEN true WHEN ${among(field.falseValues ?? ["false", "False", "FALSE", "0"])} THEN false END`;
    }
    case "date":
      if (isOwnFormat(format)) return `CAST(TRY_STRPTIME(${text}, ${literal(format)}) AS DATE)`;
      return `CASE WHEN regexp_full_match(${text}, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN TRY_CAST(${text} AS DATE) END`;
    case "datetime":
      if (isOwnFormat(format)) return `CAST(TRY_STRPTIME(${text}, ${literal(format)}) AS TIMESTAMP)`;
      return isoDatetime(text);
    case "time":
      if (isOwnFormat(format)) return `CAST(TRY_STRPTIME(${text}, ${literal(format)}) AS TIME)`;
      return `CASE WHEN regexp_full_match(${text}, '[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?') THEN TRY_CAST(${text} AS TIME) END`;
  }
}

/** A cast to TIMESTAMP would drop the offset without a word; by way of TIMESTAMPTZ it becomes UTC. */
function isoDatetime(text: string): string {
  const plain = "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]+)?)?";
  return (
    `CASE WHEN regexp_full_match(${text}, '${plain}') THEN TRY_CAST(${text} AS TIMESTAMP) ` +
    `WHEN regexp_full_match(${text}, '${plain}(Z|[+-][0-9]{2}(:?[0-9]{2})?)') THEN TRY_CAST(${text} AS TIMESTAMPTZ) AT TIME ZONE 'UTC' END`
  );
}

/** Frictionless names two formats of its own; both mean ISO 8601 here. */
function isOwnFormat(format: string | undefined): format is string {
  return format !== undefined && format !== "default" && format !== "any";
}

function without(text: string, groupChar: string | undefined): string {
  return groupChar === undefined ? text : `replace(${text}, ${literal(groupChar)}, '')`;
}

const INTEGERS = /^U?(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT)$/u;
const FRACTIONS = /^(FLOAT|DOUBLE|DECIMAL\(.*\))$/u;

/** A Parquet column that already has a value of the kind: it is converted as a value, not through text. */
function isNative(field: TableField, sourceType: string, rules: readonly CleaningRule[]): boolean {
  if (sourceType === "VARCHAR" || rules.length + (field.clean ?? []).length > 0) return false;
  switch (field.type) {
    case "integer":
    case "number":
      return INTEGERS.test(sourceType) || FRACTIONS.test(sourceType);
    case "boolean":
      return sourceType === "BOOLEAN";
    case "date":
    case "datetime":
      return sourceType === "DATE" || sourceType.startsWith("TIMESTAMP");
    case "time":
      return sourceType === "TIME";
    case "string":
      return false;
  }
}

function nativeSql(field: TableField, value: string, sourceType: string): string {
  const instant = sourceType === "TIMESTAMP WITH TIME ZONE" ? `(${value} AT TIME ZONE 'UTC')` : value;
  switch (field.type) {
    case "integer":
      return FRACTIONS.test(sourceType)
        ? `CASE WHEN ${value} = trunc(${value}) THEN TRY_CAST(${value} AS BIGINT) END`
        : `TRY_CAST(${value} AS BIGINT)`;
    case "number":
      return `CASE WHEN isfinite(CAST(${value} AS DOUBLE)) THEN CAST(${value} AS DOUBLE) END`;
    case "date":
      return `CASE WHEN CAST(${instant} AS TIMESTAMP) = date_trunc('day', CAST(${instant} AS TIMESTAMP)) THEN CAST(${instant} AS DATE) END`;
    case "datetime":
      return `CAST(${instant} AS TIMESTAMP)`;
    default:
      return value;
  }
}
