"""Plays the shop with an untouched supabase-py: accounts, filters, writes and refusals; and reads
the description of the REST door with tools that know nothing of Backstay."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import sys
import unittest
import urllib.request

from bravado.client import SwaggerClient
from bravado.requests_client import RequestsClient
from postgrest.exceptions import APIError
from supabase import Client, create_client
from supabase_auth.errors import AuthApiError
from swagger_spec_validator.validator20 import validate_spec

ROOT = pathlib.Path(__file__).resolve().parents[2]
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
BINARY = os.environ.get("BACKSTAY_BIN", str(TARGET / "debug" / "backstay"))
PASSWORD = "correct horse battery"


class Server:
    """The real binary on a copy of the example."""

    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="backstay-shop-py-")
        shutil.copytree(
            ROOT / "examples" / "shop", self.folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".backstay")
        )
        config = pathlib.Path(self.folder) / "backstay.toml"
        text = config.read_text() if config.exists() else ""
        assert "[rest]" not in text
        config.write_text(text + "\n[rest]\naggregates = true\n")
        self.process = subprocess.Popen(
            [BINARY, "dev", "-C", self.folder, "--port", "0", "--json"],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "NO_COLOR": "1"},
        )
        self.ready = None
        for line in self.process.stdout:
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if event.get("event") == "ready":
                self.ready = event
                break
        assert self.ready, "the server did not start"
        self.url = self.ready["url"]
        self.publishable = self.ready["keys"]["publishable"]
        self.secret = self.ready["keys"]["secret"]

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate()
        shutil.rmtree(self.folder, ignore_errors=True)


class Shop(unittest.TestCase):
    server: Server
    service: Client

    @classmethod
    def setUpClass(cls) -> None:
        cls.server = Server()
        cls.service = create_client(cls.server.url, cls.server.secret)
        tools = cls.service.table("category").insert({"name": "Tools"}).execute().data[0]
        cls.category = tools["id"]
        rows = [
            {"title": "Hammer", "slug": "hammer", "price": 12.5, "cost": 4, "published": True, "category_id": cls.category},
            {"title": "Saw", "slug": "saw", "price": 20, "cost": 9, "published": True, "category_id": cls.category},
            {"title": "Secret", "slug": "secret", "price": 99, "cost": 50, "published": False, "category_id": None},
        ]
        cls.products = {row["slug"]: row for row in cls.service.table("product").insert(rows).execute().data}
        cls.ada = cls.signed_up("ada")
        cls.bob = cls.signed_up("bob")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.server.stop()

    @classmethod
    def signed_up(cls, name: str) -> Client:
        client = create_client(cls.server.url, cls.server.publishable)
        answer = client.auth.sign_up({
            "email": f"{name}@example.com", "password": PASSWORD, "options": {"data": {"name": name.title()}},
        })
        assert answer.session and answer.user
        return client

    def refused(self, code: str, query) -> APIError:
        with self.assertRaises(APIError) as raised:
            query.execute()
        self.assertEqual(raised.exception.code, code, raised.exception)
        return raised.exception

    def test_sign_in_and_out(self) -> None:
        # signing out ends every session of the account: somebody of her own
        self.signed_up("cyd")
        client = create_client(self.server.url, self.server.publishable)
        answer = client.auth.sign_in_with_password({"email": "cyd@example.com", "password": PASSWORD})
        self.assertEqual(answer.user.email, "cyd@example.com")
        self.assertEqual([row["name"] for row in client.table("user").select("name").execute().data], ["Cyd"])
        refreshed = client.auth.refresh_session()
        self.assertNotEqual(refreshed.session.refresh_token, answer.session.refresh_token)
        self.assertEqual(client.auth.get_user().user.id, answer.user.id)
        client.auth.sign_out()
        self.assertEqual(client.table("user").select("name").execute().data, [])
        with self.assertRaises(AuthApiError) as raised:
            client.auth.sign_in_with_password({"email": "cyd@example.com", "password": "wrong wrong wrong"})
        self.assertEqual(raised.exception.code, "invalid_credentials")

    def test_select_and_filter(self) -> None:
        product = lambda *columns: self.ada.table("product").select(*columns or ["slug"])
        slugs = lambda query: [row["slug"] for row in query.order("slug").execute().data]
        self.assertEqual(slugs(product()), ["hammer", "saw"])
        self.assertEqual(slugs(product().eq("slug", "saw")), ["saw"])
        self.assertEqual(slugs(product().gt("price", 10).lt("price", 15)), ["hammer"])
        self.assertEqual(slugs(product().in_("slug", ["saw", "secret"])), ["saw"])
        self.assertEqual(slugs(product().ilike("title", "HAM%")), ["hammer"])
        self.assertEqual(slugs(product().or_("slug.eq.saw,price.lt.13")), ["hammer", "saw"])
        self.assertEqual(slugs(product().not_.is_("category_id", "null")), ["hammer", "saw"])
        self.assertEqual(slugs(product().filter("title", "match", "^S.w$")), ["saw"])
        counted = product("slug", ).limit(1).execute()
        self.assertEqual(len(counted.data), 1)
        counted = self.ada.table("product").select("slug", count="exact").limit(1).execute()
        self.assertEqual(counted.count, 2)
        one = product("title", "category(name)").eq("slug", "saw").single().execute().data
        self.assertEqual(one, {"title": "Saw", "category": {"name": "Tools"}})
        self.assertIsNone(product().eq("slug", "secret").maybe_single().execute())
        self.assertEqual(self.refused("PGRST116", product().eq("slug", "secret").single()).code, "PGRST116")
        sums = product("...category(name)", "price.sum()", "count()").execute().data
        self.assertEqual(sums, [{"name": "Tools", "sum": 32.5, "count": 2}])
        lines = product("slug", "price").order("slug").csv().execute().data
        self.assertEqual(lines, "slug,price\nhammer,12.5000\nsaw,20.0000")

    def test_what_is_not_hers(self) -> None:
        self.refused("42501", self.ada.table("product").select("cost"))
        self.refused("42501", self.ada.table("product").select("cost.sum()"))
        self.refused("42501", self.ada.table("category").insert({"name": "Hers"}))
        hammer = self.products["hammer"]["id"]
        self.refused("42501", self.ada.table("product").update({"price": 1}).eq("id", hammer))
        self.refused("42501", self.ada.table("product").delete().eq("id", hammer))
        self.assertEqual(self.bob.table("user").select("name").execute().data, [{"name": "Bob"}])

    def test_writes(self) -> None:
        order = self.ada.table("order").insert({"note": "please"}).execute().data[0]
        self.assertEqual(order["status"], "CART")
        self.assertEqual(self.bob.table("order").select("id").eq("id", order["id"]).execute().data, [])
        items = self.ada.table("order_item").insert([
            {"order_id": order["id"], "product_id": self.products["hammer"]["id"], "quantity": 2},
            {"order_id": order["id"], "product_id": self.products["saw"]["id"], "quantity": 1},
        ]).execute().data
        self.assertEqual([item["unit_price"] for item in items], [12.5, 20])
        again = {"order_id": order["id"], "product_id": self.products["saw"]["id"], "quantity": 3}
        self.refused("23505", self.ada.table("order_item").insert(again))
        merged = self.ada.table("order_item").upsert(again, on_conflict="order_id,product_id").execute().data
        self.assertEqual([item["quantity"] for item in merged], [3])
        total = self.ada.table("order").select("total").eq("id", order["id"]).single().execute().data
        self.assertEqual(total, {"total": 85})
        changed = self.ada.table("order").update({"status": "PLACED"}).eq("id", order["id"]).execute().data
        self.assertEqual([row["status"] for row in changed], ["PLACED"])
        self.refused("23514", self.service.table("order").update({"status": "CART"}).eq("id", order["id"]))
        gone = self.service.table("order").delete().eq("id", order["id"]).execute().data
        self.assertEqual([row["id"] for row in gone], [order["id"]])

    def document(self, key: str, token: str | None = None) -> dict:
        headers = {"apikey": key, "Authorization": f"Bearer {token or key}"}
        with urllib.request.urlopen(urllib.request.Request(f"{self.server.url}/rest/v1/", headers=headers)) as answer:
            self.assertEqual(answer.headers["Content-Type"], "application/openapi+json; charset=utf-8")
            return json.load(answer)

    def test_the_description_is_valid_and_says_what_each_may(self) -> None:
        of = {
            "anon": self.document(self.server.publishable),
            "ada": self.document(self.server.publishable, self.ada.auth.get_session().access_token),
            "service": self.document(self.server.secret),
        }
        for document in of.values():
            validate_spec(document)
        verbs = {who: sorted(document["paths"].get("/product", {})) for who, document in of.items()}
        self.assertEqual(verbs["anon"], ["get"])
        self.assertEqual(verbs["service"], ["delete", "get", "patch", "post"])
        self.assertNotIn("cost", of["ada"]["definitions"]["product"]["properties"])
        self.assertIn("cost", of["service"]["definitions"]["product"]["properties"])
        self.assertEqual(of["ada"]["definitions"]["order"]["properties"]["note"]["maxLength"], 500)

    def test_a_tool_reads_by_the_description(self) -> None:
        spec = {**self.document(self.server.publishable), "host": self.server.url.split("//")[1], "schemes": ["http"]}
        client = SwaggerClient.from_spec(spec, origin_url=f"{self.server.url}/rest/v1/", http_client=RequestsClient(), config={
            "validate_swagger_spec": False,
            "use_models": False, "validate_responses": False, "also_return_response": False, "formats": [],
        })
        rows = client.product.get_product(
            slug="eq.saw", select="title,price", _request_options={"headers": {"apikey": self.server.publishable}},
        ).response().result
        self.assertEqual([(row["title"], row["price"]) for row in rows], [("Saw", 20)])


if __name__ == "__main__":
    result = unittest.main(exit=False).result
    wrong = len(result.failures) + len(result.errors)
    print(f"PASSED {result.testsRun - wrong} OF {result.testsRun}")
    raise SystemExit(wrong > 0 or result.testsRun == 0)
