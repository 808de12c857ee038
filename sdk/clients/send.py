"""Segment's library for Python as a shop would use it: `analytics.host` is all that differs. Started by python.test.mjs."""

import json
import sys

import segment.analytics as analytics

host, write_key, run = sys.argv[1:4]
errors = []
analytics.write_key = write_key
analytics.host = host
analytics.gzip = "--gzip" in sys.argv
analytics.sync_mode = "--sync" in sys.argv
analytics.max_retries = 0
analytics.on_error = lambda error, items: errors.append(str(error))

ann, anonymous = f"py-ann-{run}", f"py-anon-{run}"
analytics.page(anonymous_id=anonymous, category="Catalogue", name="Mugs", properties={"path": "/mugs"})
analytics.track(anonymous_id=anonymous, event="Product Viewed", properties={"sku": "85123A", "price": 2.95})
analytics.identify(ann, {"email": f"Py.Ann.{run}@Example.com", "firstName": "Анна"}, anonymous_id=anonymous)
analytics.track(ann, "Order Completed", {"order_id": f"py-{run}", "total": 5.9, "currency": "GBP"})
analytics.screen(ann, name="Home")
analytics.group(ann, f"g-{run}", {"name": "Household"})

old, now = f"py-old-{run}", f"py-new-{run}"
analytics.track(old, "Product Added", {"sku": "22423"})
analytics.identify(now, {"firstName": "Olha"})
analytics.alias(old, now)

for n in range(250):
    analytics.track(f"py-b{n % 2}-{run}", "Products Searched", {"query": f"q{n}"})

if not analytics.sync_mode:
    analytics.flush()
    analytics.shutdown()
print(json.dumps({"errors": errors}))
