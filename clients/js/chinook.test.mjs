// Chinook through the public API: 15,607 rows in, five questions out, each checked
// against values computed from the JSON file.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { start } from "./server.mjs";
import { dataset, load, row } from "../../examples/chinook/load.mjs";

let server, service, anon, data;

const client = (key) => createClient(server.url, key, { auth: { persistSession: false, autoRefreshToken: false } });
const by = (table, id, key = `${table}Id`) => data[table].filter((source) => source[key] === id);
const ok = ({ data: rows, error }) => { assert.equal(error, null); return rows; };

before(async () => {
  server = await start("chinook");
  data = await dataset();
  service = client(server.secret);
  anon = client(server.publishable);
});
after(() => server?.stop());

test("15,607 rows go in and are counted", async () => {
  const counts = await load(service, data);
  assert.equal(Object.values(counts).reduce((sum, n) => sum + n, 0), 15607);
  for (const [table, name] of [["Track", "track"], ["PlaylistTrack", "playlist_track"], ["InvoiceLine", "invoice_line"]]) {
    const { count, error } = await service.from(name).select("*", { count: "exact", head: true });
    assert.equal(error, null);
    assert.equal(count, data[table].length);
  }
});

test("a single row", async () => {
  const album = ok(await anon.from("album").select("*").eq("id", 127).single());
  assert.deepEqual(album, row("Album", by("Album", 127)[0]));
});

test("a single row with an embed", async () => {
  const artist = ok(await anon.from("artist").select("id,name,album(id,title)").eq("id", 22).order("id", { referencedTable: "album" }).single());
  const albums = by("Album", 22, "ArtistId").sort((a, b) => a.AlbumId - b.AlbumId);
  assert.deepEqual(artist, {
    id: 22, name: by("Artist", 22)[0].Name,
    album: albums.map((album) => ({ id: album.AlbumId, title: album.Title })),
  });
});

test("all rows with embeds, to-one and to-many", async () => {
  const albums = ok(await anon.from("album").select("id,title,artist(name),tracks(id,genre(name),unit_price)").order("id").order("id", { referencedTable: "tracks" }));
  const expected = [...data.Album].sort((a, b) => a.AlbumId - b.AlbumId).map((album) => ({
    id: album.AlbumId,
    title: album.Title,
    artist: { name: by("Artist", album.ArtistId)[0].Name },
    tracks: by("Track", album.AlbumId, "AlbumId").sort((a, b) => a.TrackId - b.TrackId).map((track) => ({
      id: track.TrackId, genre: { name: by("Genre", track.GenreId)[0].Name }, unit_price: track.UnitPrice,
    })),
  }));
  assert.deepEqual(albums, expected);
});

test("many-to-many through the junction", async () => {
  const playlist = ok(await anon.from("playlist").select("name,tracks(id)").eq("id", 12).order("id", { referencedTable: "tracks" }).single());
  const ids = by("PlaylistTrack", 12, "PlaylistId").map((link) => link.TrackId).sort((a, b) => a - b);
  assert.deepEqual(playlist, { name: by("Playlist", 12)[0].Name, tracks: ids.map((id) => ({ id })) });
});

test("a self relation and exact money", async () => {
  const manager = ok(await service.from("employee").select("last_name,reports(last_name),reports_to(last_name)").eq("id", 2).order("id", { referencedTable: "reports" }).single());
  assert.deepEqual(manager, {
    last_name: "Edwards",
    reports: by("Employee", 2, "ReportsTo").map((person) => ({ last_name: person.LastName })),
    reports_to: { last_name: "Adams" },
  });
  const invoices = ok(await service.from("invoice").select("total"));
  const cents = (rows, of) => rows.reduce((sum, r) => sum + Math.round(of(r) * 100), 0);
  assert.equal(cents(invoices, (r) => r.total), cents(data.Invoice, (r) => r.Total));
});

test("a single insert", async () => {
  const made = ok(await service.from("artist").insert({ name: "The Backstays" }).select().single());
  assert.deepEqual(made, { id: 276, name: "The Backstays" });
});

test("a bulk insert", async () => {
  const rows = Array.from({ length: 1000 }, (_, n) => ({ id: 10_000 + n, name: `bulk ${n}` }));
  const made = ok(await service.from("artist").insert(rows).select("id,name"));
  assert.deepEqual(made, rows);
});

test("the public may read the catalogue and nothing else", async () => {
  for (const name of ["customer", "employee", "invoice", "invoice_line"]) {
    assert.deepEqual(ok(await anon.from(name).select("*")), []);
    const { count } = await anon.from(name).select("*", { count: "exact", head: true });
    assert.equal(count, 0);
  }
  assert.deepEqual(ok(await anon.from("track").select("id,invoice_lines(id)").eq("id", 1).single()), { id: 1, invoice_lines: [] });
  const refused = await anon.from("artist").insert({ name: "nobody" });
  assert.equal(refused.error.code, "42501");
  assert.equal(refused.status, 401);
});
