#include "tools/pqctl/json_text.h"

#include <array>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

// `text`: serialized, so that nothing below 0x20 is in it. All that is_unruly() has four digits at most.
void add_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  while (!text.empty()) {
    const CodePoint point = first_code_point(text);
    if (!point.valid || is_unruly(point.value)) {
      const char32_t c = point.valid ? point.value : U'\uFFFD';
      out += "\\u";
      for (int shift = 12; shift >= 0; shift -= 4) out += kHex[c >> shift & 15];
    } else {
      out += text.substr(0, point.bytes);
    }
    text.remove_prefix(point.bytes);
  }
}

class Printer {
 public:
  Printer(std::string& out, JsonStyle style) : out_(out), indented_(style == JsonStyle::kIndented) {}

  void print(const json::value& value, size_t depth) {
    if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
      char before = '{';
      for (const auto& member : *object) {
        next(before, depth);
        add_escaped(out_, json::serialize(member.key()));
        out_ += indented_ ? ": " : ":";
        print(member.value(), depth + 1);
      }
      close('}', depth);
    } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
      char before = '[';
      for (const json::value& element : *array) {
        next(before, depth);
        print(element, depth + 1);
      }
      close(']', depth);
    } else if (const double* number = value.if_double(); number != nullptr) {
      print_number(*number);
    } else {
      add_escaped(out_, json::serialize(value));
    }
  }

 private:
  void next(char& before, size_t depth) {
    out_ += std::exchange(before, ',');
    new_line(depth + 1);
  }
  void close(char bracket, size_t depth) {
    new_line(depth);
    out_ += bracket;
  }
  void new_line(size_t depth) {
    if (!indented_) return;
    out_ += '\n';
    out_.append(2 * depth, ' ');
  }
  void print_number(double number) {
    std::array<char, 64> text;
    const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), number);
    if (!std::isfinite(number) || error != std::errc()) {
      out_ += "null";
    } else {
      out_.append(text.data(), end);
    }
  }

  std::string& out_;
  bool indented_;
};

}  // namespace

std::string json_text(const json::value& value, JsonStyle style) {
  std::string text;
  Printer(text, style).print(value, 0);
  return text;
}

std::expected<json::value, std::string> parse_json(std::string_view text) {
  json::parse_options options;
  options.max_depth = kJsonDepthMax;
  json::error_code error;
  json::value value = json::parse({text.data(), text.size()}, error, {}, options);
  if (error) return std::unexpected("not valid JSON: " + error.message());
  return value;
}

}  // namespace pqd::ctl
