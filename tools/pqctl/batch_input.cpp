#include "tools/pqctl/batch_input.h"

#include <boost/json/object.hpp>

#include "tools/pqctl/base64.h"
#include "tools/pqctl/json_text.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

namespace json = boost::json;

// What is not UTF-8 would make the whole line invalid.
json::string text_of(std::string_view text) {
  return json::string(valid_utf8(text) ? std::string(text) : one_line(text));
}

void put_text(json::object& line, json::string_view key, std::string_view text) {
  if (!text.empty()) line[key] = text_of(text);
}

json::object line_of(const DeliveredJob& job) {
  json::object line{{"id", job.id().to_string()},        {"queue", text_of(job.queue())},
                    {"type", text_of(job.type())},       {"mode", text_of(mode_name(job.mode()))},
                    {"priority", job.priority()},        {"attempt", job.attempt()},
                    {"max_attempts", job.max_attempts()}};
  if (const std::string_view text = as_text(job.payload()); valid_utf8(text))
    line["payload"] = text_of(text);
  else
    line["payload_base64"] = base64(job.payload());
  if (!job.metadata().empty()) {
    auto value = parse_json(job.metadata());
    line["metadata"] = value ? std::move(*value) : json::value(text_of(job.metadata()));
  }
  put_text(line, "subject", job.subject());
  put_text(line, "ordering_key", job.ordering_key());
  put_text(line, "traceparent", job.traceparent());
  return line;
}

}  // namespace

Bytes batch_input(std::span<const DeliveredJob> jobs) {
  Bytes input;
  for (const DeliveredJob& job : jobs) {
    const std::string line = json_text(line_of(job), JsonStyle::kCompact) + "\n";
    const ByteView bytes = as_bytes(line);
    input.insert(input.end(), bytes.begin(), bytes.end());
  }
  return input;
}

}  // namespace pqd::ctl
