#include "tools/pqctl/raw_json.h"

#include "tools/pqctl/json_text.h"

namespace pqd::ctl {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The index after the string token that begins at `at`.
size_t string_end(std::string_view text, size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

// Copies the value that begins at `at` without white space; returns the index of what follows it.
size_t copy_value(std::string_view text, size_t at, std::string& out) {
  out.clear();
  for (size_t depth = 0; at < text.size();) {
    const char c = text[at];
    if (c == '"') {
      const size_t end = string_end(text, at);
      out += text.substr(at, end - at);
      at = end;
      continue;
    }
    const bool closes = c == '}' || c == ']';
    if (depth == 0 && (closes || c == ',')) break;
    if (c == '{' || c == '[') ++depth;
    if (closes) --depth;
    if (!is_space(c)) out += c;
    ++at;
  }
  return at;
}

bool same_key(std::string_view token, std::string_view key) {
  if (token.find('\\') == std::string_view::npos) return token.substr(1, token.size() - 2) == key;
  const auto decoded = parse_json(token);
  return decoded && decoded->is_string() && std::string_view(decoded->get_string()) == key;
}

}  // namespace

std::string raw_member(std::string_view object, std::string_view key) {
  std::string found;
  std::string value;
  size_t at = object.find('{');
  while (at != std::string_view::npos && (at = object.find('"', at)) != std::string_view::npos) {
    const size_t end = string_end(object, at);
    const bool wanted = same_key(object.substr(at, end - at), key);
    const size_t colon = object.find(':', end);
    if (colon == std::string_view::npos) break;
    at = copy_value(object, colon + 1, value);
    if (wanted) found = value;
  }
  return found;
}

}  // namespace pqd::ctl
