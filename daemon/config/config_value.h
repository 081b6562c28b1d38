// One value: from what a file or the environment says to what the rules of its key allow, and back.
// Any thread.
#pragma once

#include <expected>
#include <string>
#include <variant>

#include "daemon/config/config_key.h"

namespace pqd {

// As it was written; of lists those of texts. Nothing: something that no setting is (a fraction, a date, a
// table).
struct RawValue {
  std::variant<std::monostate, bool, int64_t, std::string, std::vector<std::string>> value;
  // Of the environment, which has texts only: "5" may be a number there, and needs no quotes.
  bool untyped = false;
};

// The error says what would be right.
std::expected<ConfigValue, std::string> read_value(const KeyRules& rules, const RawValue& raw);

// As TOML, in the form that people would write.
std::string value_text(const KeyRules& rules, const ConfigValue& value);

// What may stand there: "1..100000", "0..49d", "`auto`, `io_uring`, `epoll`". For messages and the reference.
std::string range_text(const KeyRules& rules);

}  // namespace pqd
