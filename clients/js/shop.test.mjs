// Plays the shop with an untouched supabase-js: two customers, a seller, a staff
// member, and everything that somebody would try who wants more than is theirs.
import { after, before, test } from "node:test";
import assert from "node:assert/strict";
import { createClient } from "@supabase/supabase-js";
import { start } from "./server.mjs";

let server, service, anon, staff, ada, bob, sam;
const made = {};

const client = (key) => createClient(server.url, key, { auth: { persistSession: false, autoRefreshToken: false } });
const ok = ({ data, error }) => { assert.equal(error, null, JSON.stringify(error)); return data; };
const refused = ({ error, status }, code, http) => {
  assert.ok(error, "should have been refused");
  assert.equal(error.code, code, JSON.stringify(error));
  if (http) assert.equal(status, http);
  return error;
};

async function signUp(email, name) {
  const supabase = client(server.publishable);
  const { user, session } = ok(await supabase.auth.signUp({ email, password: "correct horse battery", options: { data: { name } } }));
  assert.ok(session.access_token);
  return Object.assign(supabase, { id: user.id });
}

before(async () => {
  server = await start("shop");
  service = client(server.secret);
  anon = client(server.publishable);
  const { user } = ok(await service.auth.admin.createUser({
    email: "staff@example.com", password: "staff staff staff", email_confirm: true,
    user_metadata: { name: "Staff" }, app_metadata: { role: "staff" },
  }));
  staff = Object.assign(client(server.publishable), { id: user.id });
  ok(await staff.auth.signInWithPassword({ email: "staff@example.com", password: "staff staff staff" }));
  ada = await signUp("ada@example.com", "Ada");
  bob = await signUp("bob@example.com", "Bob");
  sam = await signUp("sam@example.com", "Sam");
});
after(() => server?.stop());

test("staff fills the shelves", async () => {
  const [tools, toys] = ok(await staff.from("category").insert([{ name: "Tools" }, { name: "Toys" }]).select());
  const rows = [
    { title: "Hammer", slug: "hammer", price: 12.5, cost: 4, published: true, category_id: tools.id },
    { title: "Top", slug: "top", price: 3.25, cost: 1, published: true, category_id: toys.id, seller_id: sam.id },
    { title: "Secret", slug: "secret", price: 99, cost: 50, published: false },
  ];
  const products = ok(await staff.from("product").insert(rows, { defaultToNull: false }).select());
  for (const product of products) made[product.slug] = product;
  assert.deepEqual(products.map((p) => [p.title, p.price, p.cost, p.published]), [["Hammer", 12.5, 4, true], ["Top", 3.25, 1, true], ["Secret", 99, 50, false]]);
  assert.match(made.hammer.created_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?\+00:00$/);
  const [tag] = ok(await staff.from("tag").insert({ name: "new" }).select());
  ok(await staff.from("product_tag").insert({ product_id: made.hammer.id, tag_id: tag.id }));
  made.tag = tag;
});

test("everybody sees what is published, and no costs", async () => {
  for (const who of [anon, ada]) {
    const seen = ok(await who.from("product").select("*").order("title"));
    assert.deepEqual(seen.map((p) => p.title), ["Hammer", "Top"]);
    assert.ok(seen.every((p) => !("cost" in p)));
  }
  const withEmbeds = ok(await anon.from("product").select("title,category(name),tags(name),seller(name)").eq("slug", "hammer").single());
  assert.deepEqual(withEmbeds, { title: "Hammer", category: { name: "Tools" }, tags: [{ name: "new" }], seller: null });
});

test("a field that may not be read may not be named in any clause", async () => {
  refused(await ada.from("product").select("title,cost"), "42501", 403);
  refused(await ada.from("product").select("title").gt("cost", 0), "42501", 403);
  refused(await ada.from("product").select("title").order("cost"), "42501", 403);
  refused(await ada.from("product").select("title").or("title.eq.Hammer,cost.gt.1"), "42501", 403);
  refused(await ada.from("category").select("name,product!inner(title)").gt("product.cost", 0), "42501", 403);
  refused(await anon.from("product").select("cost"), "42501", 401);
});

test("an order belongs to whoever makes it", async () => {
  const order = ok(await ada.from("order").insert({ note: "please hurry" }).select().single());
  assert.equal(order.customer_id, ada.id);
  assert.equal(order.status, "CART");
  made.order = order;
  refused(await ada.from("order").insert({ customer_id: bob.id }), "428C9", 400);
  const early = refused(await ada.from("order").insert({ status: "PAID" }), "23514", 400);
  assert.match(early.message, /PAID/);
  refused(await anon.from("order").insert({ note: "who am I" }), "42501", 401);
});

test("items take the price of the product, not of the client", async () => {
  refused(await ada.from("order_item").insert({ order_id: made.order.id, product_id: made.hammer.id, unit_price: 0.01 }), "428C9");
  const items = ok(await ada.from("order_item").insert([
    { order_id: made.order.id, product_id: made.hammer.id, quantity: 2 },
    { order_id: made.order.id, product_id: made.top.id, quantity: 1 },
  ]).select("quantity,unit_price,product(title)"));
  assert.deepEqual(items, [
    { quantity: 2, unit_price: 12.5, product: { title: "Hammer" } },
    { quantity: 1, unit_price: 3.25, product: { title: "Top" } },
  ]);
  refused(await ada.from("order_item").insert({ order_id: made.order.id, product_id: made.hammer.id }), "23505", 409);
  refused(await ada.from("order_item").update({ quantity: 100 }).eq("order_id", made.order.id).eq("product_id", made.hammer.id), "23514");
  const order = ok(await ada.from("order").select("total,order_item(count)").eq("id", made.order.id).single());
  assert.deepEqual(order, { total: 28.25, order_item: [{ count: 2 }] });
});

test("a cheap product cannot be swapped for a dear one", async () => {
  const item = ok(await ada.from("order_item").select("id").eq("order_id", made.order.id).eq("product_id", made.top.id).single());
  ok(await staff.from("product").update({ price: 5 }).eq("id", made.top.id));
  const changed = ok(await ada.from("order_item").update({ quantity: 3 }).eq("id", item.id).select("unit_price").single());
  assert.deepEqual(changed, { unit_price: 5 });
});

test("a hidden product and an absent one look the same", async () => {
  const hidden = refused(await ada.from("order_item").insert({ order_id: made.order.id, product_id: made.secret.id }), "23503", 409);
  const absent = refused(await ada.from("order_item").insert({ order_id: made.order.id, product_id: "00000000-0000-7000-8000-000000000000" }), "23503", 409);
  assert.equal(hidden.message, absent.message);
  assert.equal(hidden.details.replace(made.secret.id, "X"), absent.details.replace("00000000-0000-7000-8000-000000000000", "X"));
});

test("nothing of one customer shows to the other, in any way", async () => {
  assert.deepEqual(ok(await bob.from("order").select("*")), []);
  assert.deepEqual(ok(await bob.from("order_item").select("*,order(*)")), []);
  assert.deepEqual(ok(await bob.from("order").select("*").eq("id", made.order.id)), []);
  const { count } = await bob.from("order").select("*", { count: "exact", head: true });
  assert.equal(count, 0);
  assert.deepEqual(ok(await bob.from("product").select("title,items(id)").order("title")), [{ title: "Hammer", items: [] }, { title: "Top", items: [] }]);
  assert.deepEqual(ok(await bob.from("product").select("title,items!inner(id)")), []);
  assert.deepEqual(ok(await bob.from("user").select("id,name,email,orders(id)")), [{ id: bob.id, name: "Bob", email: "bob@example.com", orders: [] }]);
  assert.deepEqual(ok(await bob.from("user").select("id").eq("email", "ada@example.com")), []);
  assert.deepEqual(ok(await bob.from("order").update({ note: "mine now" }).eq("id", made.order.id).select()), []);
  assert.deepEqual(ok(await bob.from("order_item").delete().eq("order_id", made.order.id).select()), []);
  refused(await bob.from("order").delete().eq("id", made.order.id).select(), "42501", 403);
  const hidden = refused(await bob.from("order_item").insert({ order_id: made.order.id, product_id: made.hammer.id }), "42501", 403);
  const absent = refused(await bob.from("order_item").insert({ order_id: "00000000-0000-7000-8000-000000000000", product_id: made.hammer.id }), "42501", 403);
  assert.deepEqual(hidden, absent);
  const order = ok(await ada.from("order").select("note").eq("id", made.order.id).single());
  assert.deepEqual(order, { note: "please hurry" });
});

test("an order cannot be given away or take another's items", async () => {
  refused(await ada.from("order").update({ customer_id: bob.id }).eq("id", made.order.id), "428C9");
  const other = ok(await bob.from("order").insert({}).select().single());
  const item = ok(await bob.from("order_item").insert({ order_id: other.id, product_id: made.hammer.id }).select().single());
  refused(await bob.from("order_item").update({ order_id: made.order.id }).eq("id", item.id), "42501", 403);
  refused(await bob.from("order_item").update({ id: made.order.id }).eq("id", item.id), "428C9");
  made.bobs = other;
});

test("states follow the graph, and each person's own edges", async () => {
  refused(await ada.from("order").update({ status: "PAID" }).eq("id", made.order.id), "42501", 403);
  assert.deepEqual(ok(await ada.from("order").update({ status: "PLACED" }).eq("id", made.order.id).select("status")), [{ status: "PLACED" }]);
  refused(await ada.from("order_item").insert({ order_id: made.order.id, product_id: made.top.id }), "42501", 403);
  refused(await ada.from("order_item").update({ quantity: 9 }).eq("order_id", made.order.id), "42501", 403);
  const skipped = refused(await staff.from("order").update({ status: "SHIPPED" }).eq("id", made.order.id), "23514", 400);
  assert.match(skipped.message, /PLACED.*SHIPPED/);
  ok(await staff.from("order").update({ status: "PAID" }).eq("id", made.order.id));
  refused(await ada.from("order").update({ status: "CANCELLED" }).eq("id", made.order.id), "23514");
  refused(await service.from("order").update({ status: "CART" }).eq("id", made.order.id), "23514");
  refused(await staff.from("order").update({ status: "LOST" }).eq("id", made.order.id), "22P02");
});

test("reviews come from buyers only, once, and stay where they are", async () => {
  refused(await bob.from("review").insert({ product_id: made.hammer.id, stars: 1 }), "42501", 403);
  refused(await ada.from("review").insert({ product_id: made.hammer.id, stars: 6 }), "23514");
  const review = ok(await ada.from("review").insert({ product_id: made.hammer.id, stars: 4, body: "drives nails" }).select("id,stars,author(name)").single());
  assert.deepEqual({ ...review, id: 0 }, { id: 0, stars: 4, author: { name: "Ada" } });
  refused(await ada.from("review").insert({ product_id: made.hammer.id, stars: 5 }), "23505", 409);
  refused(await ada.from("review").insert({ product_id: made.top.id, stars: 5, author_id: bob.id }), "428C9");
  refused(await bob.from("review").update({ stars: 1 }).eq("id", review.id).select(), "42501", 403);
  ok(await staff.from("product").insert({ title: "Never bought", slug: "never-bought", price: 1, published: true }));
  const never = ok(await anon.from("product").select("id").eq("slug", "never-bought").single());
  refused(await ada.from("review").update({ product_id: never.id }).eq("id", review.id), "42501", 403);
  assert.deepEqual(ok(await anon.from("product").select("rating").eq("slug", "hammer").single()), { rating: 4 });
});

test("a seller may edit the product, not its price, its seller or its rating", async () => {
  assert.deepEqual(ok(await sam.from("product").update({ description: "spins" }).eq("id", made.top.id).select("description")), [{ description: "spins" }]);
  refused(await sam.from("product").update({ price: 1 }).eq("id", made.top.id), "42501", 403);
  refused(await sam.from("product").update({ price: 5 }).eq("id", made.top.id), "42501", 403);
  refused(await sam.from("product").update({ seller_id: ada.id }).eq("id", made.top.id), "42501", 403);
  refused(await sam.from("product").update({ rating: 5 }).eq("id", made.top.id), "428C9");
  refused(await sam.from("product").update({ created_at: "2000-01-01T00:00:00Z" }).eq("id", made.top.id), "428C9");
  refused(await sam.from("product").insert({ title: "Mine", slug: "mine", price: 1 }), "42501", 403);
  refused(await ada.from("product").update({ description: "hacked" }).eq("id", made.hammer.id), "42501", 403);
});

test("links need the right of the side that has a rule", async () => {
  refused(await ada.from("product_tag").insert({ product_id: made.hammer.id, tag_id: made.tag.id }), "42501", 403);
  ok(await sam.from("product_tag").insert({ product_id: made.top.id, tag_id: made.tag.id }));
  refused(await ada.from("product_tag").delete().eq("product_id", made.top.id).eq("tag_id", made.tag.id).select(), "42501", 403);
  assert.deepEqual(ok(await anon.from("tag").select("name,products(title)").order("title", { referencedTable: "products" })), [{ name: "new", products: [{ title: "Hammer" }, { title: "Top" }] }]);
});

test("nobody makes themselves staff", async () => {
  ok(await ada.auth.updateUser({ data: { role: "staff", name: "Ada L." } }));
  ok(await ada.auth.refreshSession());
  assert.deepEqual(ok(await ada.from("order").select("id").eq("id", made.bobs.id)), []);
  const evil = client(server.publishable);
  const { user } = ok(await evil.auth.signUp({ email: "evil@example.com", password: "correct horse battery", options: { data: { name: "Evil", role: "staff", id: ada.id, email: "ada@example.com" } } }));
  assert.notEqual(user.id, ada.id);
  assert.deepEqual(ok(await evil.from("user").select("name,email")), [{ name: "Evil", email: "evil@example.com" }]);
  assert.deepEqual(ok(await evil.from("order").select("id")), []);
});

test("account rows come and go with their account", async () => {
  refused(await ada.from("user").insert({ name: "Second" }), "42501", 403);
  refused(await service.from("user").insert({ name: "Second", email: "x@example.com" }), "42501");
  refused(await ada.from("user").delete().eq("id", ada.id).select(), "42501", 403);
  refused(await ada.from("user").update({ email: "bob@example.com" }).eq("id", ada.id), "428C9");
  refused(await service.from("user").update({ email: "bob@example.com" }).eq("id", ada.id), "428C9");
  assert.deepEqual(ok(await ada.from("user").update({ name: "Countess" }).eq("id", ada.id).select("name")), [{ name: "Countess" }]);
  assert.deepEqual(ok(await ada.from("user").update({ name: "Nobody" }).eq("id", bob.id).select("name")), []);
  const blocked = await service.auth.admin.deleteUser(ada.id);
  assert.equal(blocked.error.status, 409);
  ok(await service.auth.admin.deleteUser(sam.id).catch((error) => ({ error })).then(({ error }) => ({ data: null, error: error ?? null })));
  assert.deepEqual(ok(await staff.from("user").select("id").eq("id", sam.id)), []);
});

test("signing out ends the session at once", async () => {
  const once = client(server.publishable);
  ok(await once.auth.signInWithPassword({ email: "bob@example.com", password: "correct horse battery" }));
  const { data: { session } } = await once.auth.getSession();
  const raw = createClient(server.url, server.publishable, { global: { headers: { Authorization: `Bearer ${session.access_token}` } }, auth: { persistSession: false } });
  assert.equal(ok(await raw.from("user").select("id")).length, 1);
  assert.equal((await once.auth.signOut({ scope: "local" })).error, null);
  const gone = await raw.from("user").select("id");
  assert.equal(gone.status, 401);
  const wrong = await once.auth.signInWithPassword({ email: "bob@example.com", password: "wrong" });
  const unknown = await once.auth.signInWithPassword({ email: "nobody@example.com", password: "wrong" });
  assert.deepEqual([wrong.error.code, wrong.error.message, wrong.error.status], [unknown.error.code, unknown.error.message, unknown.error.status]);
  assert.equal(wrong.error.code, "invalid_credentials");
});

test("upserts obey both rules", async () => {
  const tags = ok(await staff.from("tag").upsert([{ name: "new" }, { name: "old" }], { onConflict: "name" }).select("name"));
  assert.deepEqual(tags, [{ name: "new" }, { name: "old" }]);
  assert.equal(ok(await anon.from("tag").select("*")).length, 2);
  refused(await ada.from("tag").upsert({ name: "new" }, { onConflict: "name" }), "42501", 403);
  const kept = ok(await staff.from("tag").upsert([{ name: "new" }, { name: "third" }], { onConflict: "name", ignoreDuplicates: true }).select("name"));
  assert.deepEqual(kept, [{ name: "third" }]);
});

test("claims verify against the published key", async () => {
  const { data, error } = await ada.auth.getClaims();
  assert.equal(error, null);
  assert.equal(data.header.alg, "ES256");
  assert.equal(data.claims.sub, ada.id);
  assert.equal(data.claims.role, "authenticated");
});
