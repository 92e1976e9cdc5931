# What botocore's signer makes of requests. Reads a JSON list of requests from a file and prints the
# list of their authorization fields.
# Usage: sigv4.py FILE
import base64
import datetime
import json
import sys

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def authorization(case):
    when = datetime.datetime.strptime(case["stamp"], auth.SIGV4_TIMESTAMP)
    auth.get_current_datetime = lambda *_, **__: when
    request = AWSRequest(
        method=case["method"], url=case["url"], data=base64.b64decode(case["body"]))
    for name, value in case["fields"]:
        request.headers.add_header(name, value)
    credentials = Credentials(case["access"], case["secret"], case.get("token"))
    auth.SigV4Auth(credentials, case["service"], case["region"]).add_auth(request)
    return request.headers["Authorization"]


with open(sys.argv[1]) as file:
    print(json.dumps([authorization(case) for case in json.load(file)]))
