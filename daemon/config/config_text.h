// How names and values stand in TOML. Any thread.
#pragma once

#include <string>
#include <string_view>

namespace pqd {

// In quotes, on one line: quotes, backslashes and control characters escaped.
std::string quoted(std::string_view text);

// A key as it is written: bare where TOML allows that, else in quotes.
std::string key_text(std::string_view key);

// "[queue.mail]"
std::string table_text(std::string_view table, std::string_view name = {});

// TOML is UTF-8 throughout: no overlong forms, no surrogates.
bool is_utf8(std::string_view text);

}  // namespace pqd
