#include "tools/pqctl/ndjson_line.h"

#include "tools/pqctl/base64.h"
#include "tools/pqctl/json_text.h"
#include "tools/pqctl/raw_json.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

bool kept_as_json(std::string_view name, const json::value& value) {
  return name == "metadata" || (name == "payload" && !value.is_string());
}

Checked<void> set_base64(SubmitFields& fields, const json::value& value) {
  auto bytes = value.is_string() ? from_base64(std::string_view(value.get_string())) : std::nullopt;
  if (!bytes) return complain(Error::kInvalidRequest, "payload_base64 must be text in padded Base64");
  fields.payload = std::move(*bytes);
  return {};
}

Checked<void> set_member(SubmitFields& fields, std::string_view line, std::string_view name,
                         const json::value& value) {
  if (name == "payload_base64") return set_base64(fields, value);
  if (kept_as_json(name, value)) return set_field(fields, name, raw_member(line, name));
  if (value.is_string()) return set_field(fields, name, std::string_view(value.get_string()));
  if (value.is_null()) return {};
  if (value.is_number() || value.is_bool())
    return set_field(fields, name, json_text(value, JsonStyle::kCompact));
  return complain(Error::kInvalidRequest, "the field \"" + std::string(name) + "\" must be text or a number");
}

}  // namespace

Checked<SubmitFields> parse_ndjson_line(std::string_view line, const SubmitFields& defaults) {
  const auto value = parse_json(line);
  if (!value) return complain(Error::kInvalidRequest, value.error());
  if (!value->is_object()) return complain(Error::kInvalidRequest, "a line must be a JSON object");
  const json::object& object = value->get_object();
  if (object.contains("payload") && object.contains("payload_base64")) {
    return complain(Error::kInvalidRequest, "payload and payload_base64 exclude each other");
  }
  SubmitFields fields = defaults;
  for (const auto& member : object) {
    auto set = set_member(fields, line, std::string_view(member.key()), member.value());
    if (!set) return std::unexpected(std::move(set.error()));
  }
  if (fields.type.empty()) return complain(Error::kInvalidRequest, "the field \"type\" is missing");
  if (auto checked = check_fields(fields); !checked) return std::unexpected(std::move(checked.error()));
  return fields;
}

}  // namespace pqd::ctl
