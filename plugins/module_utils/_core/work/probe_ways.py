# Copyright (c) 2026 The patchtide.hybrid contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the probes that tries endpoints from the node: with its own name server, proxy and certificates.

Any answer of HTTP counts, since an endpoint refuses what is not signed only after TLS. A tool that cannot say whether
TLS works leaves the answer open.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..errors import BadInput

#: Fits the document, which has at most 2,400 characters.
MOST = 8
_URL = re.compile(r"https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~/-]*)?")

_POSIX = r"""
# --- endpoints: any answer of HTTP counts
index=0
for url in @URLS@; do
  index=$((index + 1))
  {
    text=$(http_get "$url" - - -); code=$?
    case $text in HTTP*) code=0; text='' ;; esac
    has curl || has wget || has python3 || [ $code -ne 0 ] || { code=2; text='connected; TLS was not checked'; }
    case $code in 0) ok=true ;; 2) ok=null ;; *) ok=false ;; esac
    printf '{"url":"%s","ok":%s,"text":"%s"}\n' "$(esc "$url" 100)" $ok "$(esc "$text" 60)" >"$T/way.$index"
  } </dev/null &
done
wait
cat "$T"/way.* >"$T/ways" 2>/dev/null
way_items() { printf '"ways":[%s],' "$(items ways 8)"; }
"""
_POWERSHELL = r"""
# Endpoints: any answer of HTTP counts.
$extra['ways'] = @(foreach ($url in @URLS@) {
    $ok = $true
    $text = ''
    try {
        $protocols = [Net.ServicePointManager]::SecurityProtocol
        [Net.ServicePointManager]::SecurityProtocol = $protocols -bor [Net.SecurityProtocolType]::Tls12
        $null = Invoke-WebRequest -Uri $url -UseBasicParsing -TimeoutSec 8 -ErrorAction Stop
    } catch {
        $ok = [bool]$_.Exception.Response
        if (-not $ok) { $text = $_.Exception.Message }
    }
    [ordered]@{ url = $url; ok = $ok; text = (Limit-Text $text 60) }
})
"""
_NOTHING = "\nway_items() { :; }\n"


def way_part(platform: str, urls: Sequence[str]) -> str:
    """Return the part of a platform's probe that tries endpoints.

    :param urls: ``https://`` addresses, at most ``MOST``, which become part of a script.
    :raises BadInput: an address, or too many.
    """
    for url in urls:
        if not _URL.fullmatch(url):
            raise BadInput("endpoints", url, "an address such as https://ssm.eu-central-1.amazonaws.com")
    if len(urls) > MOST:
        raise BadInput("endpoints", len(urls), f"at most {MOST} addresses")
    if platform == "windows":
        return _POWERSHELL.replace("@URLS@", ", ".join(f"'{url}'" for url in urls)) if urls else "\n"
    return _POSIX.replace("@URLS@", " ".join(urls)) if urls else _NOTHING
