// Printing Boost.JSON values so that people and diff can read them: numbers without exponents where that is
// exact, keys in the order they were put in. What is_unruly() and bytes that are not UTF-8 do not come out as
// they are: the former are escaped, which means the same, the latter replaced.
#pragma once

#include <boost/json/value.hpp>
#include <expected>
#include <string>

namespace pqd::ctl {

enum class JsonStyle : uint8_t { kCompact, kIndented };
std::string json_text(const boost::json::value& value, JsonStyle style);

// Nesting deeper than this is refused on input.
inline constexpr size_t kJsonDepthMax = 256;

// Into a value; the error is a text for people.
std::expected<boost::json::value, std::string> parse_json(std::string_view text);

}  // namespace pqd::ctl
