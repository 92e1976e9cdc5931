// libcurl for Swift: its setters are variadic, which Swift cannot call, so each kind of value has a
// typed one here. Only what the Curl module uses is named.

#ifndef LEEWAY_CCURL_H
#define LEEWAY_CCURL_H

#include <curl/curl.h>

// Typed curl_easy_setopt; the result is curl's own.
CURLcode leeway_curl_set_long(CURL *handle, CURLoption option, long value);
CURLcode leeway_curl_set_text(CURL *handle, CURLoption option, const char *value);
CURLcode leeway_curl_set_pointer(CURL *handle, CURLoption option, void *value);
CURLcode leeway_curl_set_list(CURL *handle, CURLoption option, struct curl_slist *value);
CURLcode leeway_curl_set_size(CURL *handle, CURLoption option, curl_off_t value);

// Called with size × count bytes that came (write, header) or with that much room (read); returns
// how many were taken or given. Any less from write or header ends the transfer.
typedef size_t (*leeway_curl_bytes)(char *bytes, size_t size, size_t count, void *context);
CURLcode leeway_curl_set_write(CURL *handle, leeway_curl_bytes function, void *context);
CURLcode leeway_curl_set_header(CURL *handle, leeway_curl_bytes function, void *context);
CURLcode leeway_curl_set_read(CURL *handle, leeway_curl_bytes function, void *context);

// Restricts a handle to http, https, smtp and smtps, in redirects too.
CURLcode leeway_curl_restrict_protocols(CURL *handle);

// What a finished transfer's server answered last: the HTTP status, or the SMTP reply code.
long leeway_curl_response_code(CURL *handle);

// The next finished transfer of a multi handle, or NULL; its result goes to `result`.
CURL *leeway_curl_next_done(CURLM *multi, CURLcode *result);

#endif
