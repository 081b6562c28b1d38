#include "daemon/config/config_value.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "daemon/config/amount_text.h"
#include "daemon/config/config_text.h"
#include "daemon/config/nearest_word.h"
#include "daemon/config/suggest.h"

namespace pqd {
namespace {

constexpr std::string_view kAutomaticWord = "auto";

std::optional<uint64_t> whole_number(std::string_view text) {
  uint64_t number = 0;
  const char* const last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), last, number);
  if (text.empty() || error != std::errc() || end != last) return std::nullopt;
  return number;
}

std::optional<uint64_t> read_amount(const KeyRules& rules, const RawValue& raw) {
  if (const auto* number = std::get_if<int64_t>(&raw.value)) {
    const bool needs_unit = rules.form == ValueForm::kDuration && *number != 0;
    if (*number < 0 || needs_unit) return std::nullopt;
    return static_cast<uint64_t>(*number);
  }
  const auto* text = std::get_if<std::string>(&raw.value);
  if (text == nullptr) return std::nullopt;
  if (rules.form == ValueForm::kDuration) return parse_duration_ms(*text);
  if (rules.form == ValueForm::kBytes) return parse_bytes(*text);
  return raw.untyped ? whole_number(*text) : std::nullopt;
}

std::optional<bool> read_flag(const RawValue& raw) {
  if (const auto* flag = std::get_if<bool>(&raw.value)) return *flag;
  const auto* text = std::get_if<std::string>(&raw.value);
  if (text == nullptr || !raw.untyped || (*text != "true" && *text != "false")) return std::nullopt;
  return *text == "true";
}

bool is_automatic(const KeyRules& rules, const RawValue& raw) {
  const auto* text = std::get_if<std::string>(&raw.value);
  return rules.automatic && text != nullptr && *text == kAutomaticWord;
}

std::string amount_in_words(const KeyRules& rules, uint64_t amount) {
  if (rules.automatic && amount == kAutomatic) return std::string(kAutomaticWord);
  if (rules.form == ValueForm::kDuration) return duration_text_ms(amount);
  return rules.form == ValueForm::kBytes ? bytes_text(amount) : std::to_string(amount);
}

std::string form_words(const KeyRules& rules) {
  switch (rules.form) {
    case ValueForm::kFlag:
      return "true or false";
    case ValueForm::kNumber:
      return "a whole number";
    case ValueForm::kBytes:
      return "a number of bytes, or a text such as \"64MiB\" or \"1GiB\",";
    case ValueForm::kDuration:
      return "a duration with its unit, such as \"500ms\", \"30s\" or \"1h\",";
    case ValueForm::kWord:
      return "one of";
    case ValueForm::kPath:
      return "a path from the root, such as \"/var/lib/pqd\",";
    case ValueForm::kQueues:
      return "a list of queues: [\"mail\"], [\"mail.*\", \"report\"], or [\"*\"] for all of them";
    case ValueForm::kWork:
      return "a list of queues, each with a type behind a slash or without: [\"mail\"], [\"mail/send\"], "
             "[\"*/report.*\"]";
  }
  return {};
}

std::string word_list(const KeyRules& rules, std::string_view quote) {
  std::string list;
  for (const std::string_view word : rules.words) {
    if (!list.empty()) list += ", ";
    list += std::string(quote) + std::string(word) + std::string(quote);
  }
  return list;
}

bool is_list(const KeyRules& rules) {
  return rules.form == ValueForm::kQueues || rules.form == ValueForm::kWork;
}

bool good_item(const KeyRules& rules, const std::string& item) {
  return rules.form == ValueForm::kQueues ? NamePattern::parse(item).has_value()
                                          : ConsumeRight::parse(item).has_value();
}

std::string what_is_right(const KeyRules& rules) {
  std::string text = std::string(rules.name) + " is " + form_words(rules);
  if (rules.form == ValueForm::kFlag || is_list(rules)) return text;
  if (rules.form == ValueForm::kWord) return text + " " + word_list(rules, "\"");
  if (rules.form == ValueForm::kPath) return text + " of at most " + std::to_string(rules.most) + " bytes";
  text += " from " + amount_in_words(rules, rules.least) + " to " + amount_in_words(rules, rules.most);
  if (rules.automatic) text += ", or " + quoted(kAutomaticWord);
  return rules.zero.empty() ? text : text + "; 0 means " + std::string(rules.zero);
}

std::string not_this(const KeyRules& rules, const RawValue& raw) {
  if (const auto* number = std::get_if<int64_t>(&raw.value)) return ", not " + std::to_string(*number);
  if (const auto* flag = std::get_if<bool>(&raw.value)) return *flag ? ", not true" : ", not false";
  if (const auto* list = std::get_if<std::vector<std::string>>(&raw.value)) {
    if (!is_list(rules)) return ", not a list";
    const auto bad =
        std::ranges::find_if_not(*list, [&](const auto& item) { return good_item(rules, item); });
    return bad == list->end() ? "" : ", not " + quoted(*bad);
  }
  const auto* text = std::get_if<std::string>(&raw.value);
  if (text == nullptr) return {};
  const std::string_view nearest =
      rules.form == ValueForm::kWord ? nearest_word(*text, rules.words) : std::string_view();
  return ", not " + quoted(*text) + did_you_mean(nearest.empty() ? "" : quoted(nearest));
}

std::optional<ConfigValue> read_text(const KeyRules& rules, const std::string& text) {
  if (rules.form == ValueForm::kWord)
    return std::ranges::find(rules.words, text) != rules.words.end() ? std::optional<ConfigValue>(text)
                                                                     : std::nullopt;
  const bool good = text.starts_with('/') && text.size() <= rules.most && is_utf8(text) &&
                    text.find('\0') == std::string::npos;
  return good ? std::optional<ConfigValue>(text) : std::nullopt;
}

std::optional<ConfigValue> read(const KeyRules& rules, const RawValue& raw) {
  if (rules.form == ValueForm::kFlag) return read_flag(raw);
  if (is_list(rules)) {
    const auto* list = std::get_if<std::vector<std::string>>(&raw.value);
    const bool good = list != nullptr &&
                      std::ranges::all_of(*list, [&](const auto& item) { return good_item(rules, item); });
    return good ? std::optional<ConfigValue>(*list) : std::nullopt;
  }
  if (rules.form == ValueForm::kWord || rules.form == ValueForm::kPath) {
    const auto* text = std::get_if<std::string>(&raw.value);
    return text == nullptr ? std::nullopt : read_text(rules, *text);
  }
  if (is_automatic(rules, raw)) return uint64_t{kAutomatic};
  const auto amount = read_amount(rules, raw);
  const bool in_range = amount && *amount >= rules.least && *amount <= rules.most;
  return in_range ? std::optional<ConfigValue>(*amount) : std::nullopt;
}

}  // namespace

std::expected<ConfigValue, std::string> read_value(const KeyRules& rules, const RawValue& raw) {
  if (auto value = read(rules, raw)) return std::move(*value);
  return std::unexpected(what_is_right(rules) + not_this(rules, raw));
}

std::string value_text(const KeyRules& rules, const ConfigValue& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return quoted(*text);
  if (const auto* list = std::get_if<std::vector<std::string>>(&value)) {
    std::string text;
    for (const std::string& item : *list) text += (text.empty() ? "" : ", ") + quoted(item);
    return "[" + text + "]";
  }
  const std::string amount = amount_in_words(rules, std::get<uint64_t>(value));
  return whole_number(amount) ? amount : quoted(amount);
}

std::string range_text(const KeyRules& rules) {
  switch (rules.form) {
    case ValueForm::kFlag:
      return "`true`, `false`";
    case ValueForm::kWord:
      return word_list(rules, "`");
    case ValueForm::kPath:
      return "a path from the root, at most " + std::to_string(rules.most) + " bytes";
    case ValueForm::kQueues:
      return "a list of queues; `mail.*` is all that begin so, `*` all";
    case ValueForm::kWork:
      return "a list of queues, or QUEUE/TYPE; `*` as above";
    default: {
      std::string range = amount_in_words(rules, rules.least) + ".." + amount_in_words(rules, rules.most);
      if (rules.automatic) range += ", `" + std::string(kAutomaticWord) + "`";
      return rules.zero.empty() ? range : range + "; 0 = " + std::string(rules.zero);
    }
  }
}

}  // namespace pqd
