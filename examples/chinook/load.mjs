// Loads the Chinook data set through the public API.
//   node load.mjs http://127.0.0.1:8000 <secret key>
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";

/** Tables in an order in which every reference is there when it is named. */
export const ORDER = [
  "Genre", "MediaType", "Artist", "Album", "Track", "Playlist", "PlaylistTrack",
  "Employee", "Customer", "Invoice", "InvoiceLine",
];

/** Rows per request. */
const CHUNK = 5000;

const snake = (name) => name.replace(/([a-z])([A-Z])/g, "$1_$2").toLowerCase();

/** The column that a property of the data set goes to. */
function column(table, property) {
  if (property === `${table}Id`) return "id";
  if (property === "ReportsTo") return "reports_to_id";
  return snake(property);
}

/** A row of the data set as a row of the API. */
export function row(table, source) {
  return Object.fromEntries(Object.entries(source).map(([property, value]) => [column(table, property), value]));
}

export const dataset = async () =>
  JSON.parse(await readFile(new URL("./data/chinook.json", import.meta.url), "utf8"));

/** Inserts everything; answers with the number of rows per table. */
export async function load(supabase, data) {
  const counts = {};
  for (const table of ORDER) {
    const rows = data[table].map((source) => row(table, source));
    for (let start = 0; start < rows.length; start += CHUNK) {
      const { error } = await supabase.from(snake(table)).insert(rows.slice(start, start + CHUNK));
      if (error) throw new Error(`${table}: ${error.code} ${error.message} ${error.details ?? ""}`);
    }
    counts[table] = rows.length;
  }
  return counts;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const [url, key] = process.argv.slice(2);
  const { createClient } = await import("@supabase/supabase-js");
  const began = performance.now();
  const counts = await load(createClient(url, key), await dataset());
  const total = Object.values(counts).reduce((sum, n) => sum + n, 0);
  console.log(counts);
  console.log(`${total} rows in ${Math.round(performance.now() - began)} ms`);
}
