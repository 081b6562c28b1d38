#include "tools/pqctl/submit_fields.h"

#include <array>
#include <charconv>

#include "daemon/config/suggest.h"
#include "tools/pqctl/duration.h"
#include "tools/pqctl/input.h"
#include "tools/pqctl/json_text.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

using Setter = Checked<void> (*)(SubmitFields&, std::string_view);

// What was said may be long; its beginning tells which it was.
constexpr size_t kQuotedColumnsMax = 80;
std::string quoted(std::string_view text) { return "\"" + shorten(one_line(text), kQuotedColumnsMax) + "\""; }

template <class Enum, class Parse, size_t N>
Checked<void> set_enum(Enum& field, std::string_view text, Parse parse, Error error, std::string_view what,
                       const std::array<std::string_view, N>& names) {
  if (const auto value = parse(text)) {
    field = *value;
    return {};
  }
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return complain(
      error, "the " + std::string(what) + " " + quoted(text) + " is none of " + list + suggest(text, names));
}

constexpr std::array<std::string_view, 3> kModes{"fifo", "priority", "batch"};
constexpr std::array<std::string_view, 2> kDeliveries{"at-least-once", "at-most-once"};
constexpr std::array<std::string_view, 3> kDurabilities{"fsync", "os", "memory"};

Checked<void> set_mode(SubmitFields& f, std::string_view text) {
  return set_enum(f.mode, text, parse_mode, Error::kInvalidMode, "mode", kModes);
}
Checked<void> set_delivery(SubmitFields& f, std::string_view text) {
  return set_enum(f.delivery, text, parse_delivery, Error::kInvalidRequest, "delivery", kDeliveries);
}
Checked<void> set_durability(SubmitFields& f, std::string_view text) {
  return set_enum(f.durability, text, parse_durability, Error::kInvalidRequest, "durability", kDurabilities);
}

template <class Number>
std::optional<Number> whole_number(std::string_view text) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Checked<void> set_priority(SubmitFields& f, std::string_view text) {
  constexpr std::array<std::pair<std::string_view, uint8_t>, 4> kNamed{{{"LOW", kPriorityLow},
                                                                        {"NORMAL", kPriorityNormal},
                                                                        {"HIGH", kPriorityHigh},
                                                                        {"CRITICAL", kPriorityCritical}}};
  for (const auto& [name, value] : kNamed) {
    if (text != name) continue;
    f.priority = value;
    return {};
  }
  const auto value = whole_number<int64_t>(text);
  if (!value || *value < limits::kPriorityMin || *value > limits::kPriorityMax) {
    return complain(Error::kInvalidPriority,
                    "the priority must be 1 to 20, or LOW, NORMAL, HIGH, CRITICAL, not " + quoted(text));
  }
  f.priority = static_cast<uint8_t>(*value);
  return {};
}

Checked<void> set_attempts(SubmitFields& f, std::string_view text) {
  const auto value = whole_number<uint16_t>(text);
  if (!value || *value == 0) {
    return complain(Error::kInvalidRequest, "the attempts must be 1 to 65535, not " + quoted(text));
  }
  f.max_attempts = *value;
  return {};
}

Checked<Milliseconds> duration_of(std::string_view text) {
  if (const auto duration = parse_duration(text)) return *duration;
  return complain(Error::kInvalidRequest,
                  "not a duration: " + quoted(text) + "; write " + std::string(kDurationForms));
}

Checked<void> set_timeout(uint32_t& field, std::string_view text) {
  const auto duration = duration_of(text);
  if (!duration) return std::unexpected(duration.error());
  if (duration->count() >= kTimeoutDefault) {
    return complain(Error::kInvalidRequest, quoted(text) + " is over 49 days; 0 means for ever");
  }
  field = static_cast<uint32_t>(duration->count());
  return {};
}

Checked<void> set_delay(SubmitFields& f, std::string_view text) {
  const auto duration = duration_of(text);
  if (!duration) return std::unexpected(duration.error());
  f.not_before_ms = duration->count() == 0 ? 0 : unix_now_ms() + duration->count();
  return {};
}

Checked<void> set_not_before(SubmitFields& f, std::string_view text) {
  const auto time = parse_time_ms(text);
  if (!time) {
    return complain(Error::kInvalidRequest,
                    "not a time: " + quoted(text) +
                        "; write it like 2026-01-31T12:00:00Z, or 2026-01-31 12:00 for local time");
  }
  f.not_before_ms = *time;
  return {};
}

Checked<void> set_metadata(SubmitFields& f, std::string_view text) {
  if (const auto value = parse_json(text); !value) {
    return complain(Error::kInvalidRequest, "the metadata is " + value.error());
  }
  f.metadata = text;
  return {};
}

Checked<void> set_jitter(SubmitFields& f, std::string_view text) {
  if (text != "true" && text != "false") {
    return complain(Error::kInvalidRequest, "backoff_jitter must be true or false, not " + quoted(text));
  }
  f.backoff_jitter = text == "true";
  return {};
}

template <std::string SubmitFields::*member>
Checked<void> set_text(SubmitFields& f, std::string_view text) {
  f.*member = text;
  return {};
}
template <uint32_t SubmitFields::*member>
Checked<void> set_milliseconds(SubmitFields& f, std::string_view text) {
  return set_timeout(f.*member, text);
}

struct Field {
  std::string_view name;
  Setter set;
};
// What has two names is called as in a listing, and as on the command line.
constexpr std::array kFields{
    Field{"type", set_text<&SubmitFields::type>},
    Field{"queue", set_text<&SubmitFields::queue>},
    Field{"payload", set_text<&SubmitFields::payload>},
    Field{"mode", set_mode},
    Field{"priority", set_priority},
    Field{"delivery", set_delivery},
    Field{"durability", set_durability},
    Field{"max_attempts", set_attempts},
    Field{"attempts", set_attempts},
    Field{"delay", set_delay},
    Field{"not_before", set_not_before},
    Field{"at", set_not_before},
    Field{"queue_timeout", set_milliseconds<&SubmitFields::queue_timeout_ms>},
    Field{"ttl", set_milliseconds<&SubmitFields::queue_timeout_ms>},
    Field{"processing_timeout", set_milliseconds<&SubmitFields::processing_timeout_ms>},
    Field{"backoff", set_milliseconds<&SubmitFields::backoff_first_ms>},
    Field{"backoff_cap", set_milliseconds<&SubmitFields::backoff_cap_ms>},
    Field{"backoff_jitter", set_jitter},
    Field{"idempotency_key", set_text<&SubmitFields::idempotency_key>},
    Field{"key", set_text<&SubmitFields::idempotency_key>},
    Field{"ordering_key", set_text<&SubmitFields::ordering_key>},
    Field{"subject", set_text<&SubmitFields::subject>},
    Field{"traceparent", set_text<&SubmitFields::traceparent>},
    Field{"metadata", set_metadata},
};
constexpr auto kFieldNames = [] {
  std::array<std::string_view, kFields.size()> names{};
  for (size_t i = 0; i < names.size(); ++i) names[i] = kFields[i].name;
  return names;
}();

}  // namespace

SubmitRequest SubmitFields::request() const {
  return {.type = type,
          .queue = queue,
          .payload = as_bytes(payload),
          .mode = mode,
          .priority = priority,
          .delivery = delivery,
          .durability = durability,
          .backoff_jitter = backoff_jitter,
          .max_attempts = max_attempts,
          .not_before_ms = not_before_ms,
          .queue_timeout_ms = queue_timeout_ms,
          .processing_timeout_ms = processing_timeout_ms,
          .backoff_first_ms = backoff_first_ms,
          .backoff_cap_ms = backoff_cap_ms,
          .idempotency_key = idempotency_key,
          .ordering_key = ordering_key,
          .subject = subject,
          .traceparent = traceparent,
          .metadata = metadata};
}

std::span<const std::string_view> field_names() { return kFieldNames; }

Checked<void> set_field(SubmitFields& fields, std::string_view name, std::string_view text) {
  for (const Field& field : kFields) {
    if (field.name == name) return field.set(fields, text);
  }
  return complain(Error::kInvalidRequest, "there is no field " + quoted(name) + suggest(name, kFieldNames));
}

Checked<void> check_fields(const SubmitFields& fields) {
  SubmitView view;
  view.head.id = JobId::make(1, 0, 0, 1);  // any: the client makes the real one
  view.head.priority = fields.priority;
  view.head.durability = static_cast<uint8_t>(fields.durability.value_or(Durability::kFsync));
  view.head.not_before_ms = fields.not_before_ms;
  view.queue = fields.queue;
  view.type = fields.type;
  view.idempotency_key = fields.idempotency_key;
  view.ordering_key = fields.ordering_key;
  view.subject = fields.subject;
  view.traceparent = fields.traceparent;
  view.metadata = fields.metadata;
  view.payload = as_bytes(fields.payload);
  const SubmitFault fault = check_submit(view, limits::kPayloadBytesMax);
  if (fault.error != Error::kOk) return complain(fault.error, fault.what);
  return {};
}

Checked<SubmitFields> read_fields(const std::vector<std::pair<std::string, std::string>>& options,
                                  const std::optional<std::string>& payload) {
  SubmitFields fields;
  for (const auto& [name, text] : options) {
    if (auto set = set_field(fields, name, text); !set) return std::unexpected(set.error());
  }
  const std::string said = payload.value_or("");
  if (said == "-" || said.starts_with('@')) {
    auto text = read_input(said == "-" ? said : said.substr(1), limits::kPayloadBytesMax);
    if (!text) return std::unexpected(text.error());
    fields.payload = std::move(*text);
  } else {
    fields.payload = said;
  }
  if (auto checked = check_fields(fields); !checked) return std::unexpected(checked.error());
  return fields;
}

bool is_away(const Failure& failure) {
  if (failure.error == Error::kUnknownOutcome) return true;
  // A daemon that is away says so in words of its own; one that is there refuses because of the queue.
  return failure.error == Error::kUnavailable && failure.text != error_text(Error::kUnavailable);
}

Complaint refusal_of(const Failure& failure, std::string_view queue) {
  const std::string name = queue.empty() ? "" : " " + quoted(queue);
  Failure told = failure;
  switch (failure.error) {
    case Error::kInvalidRequest:
      // Each field was looked at before it was sent: what the daemon alone can find wrong is one name too
      // many.
      told.text =
          "the daemon has " + std::to_string(limits::kQueuesMax) + " queues or " +
          std::to_string(limits::kTypesMax) + " types and takes no further name, or this user has named " +
          std::to_string(limits::kQueuesPerUserMax) + " queues or " +
          std::to_string(limits::kTypesPerUserMax) + " types, the most one may; use those that there are";
      break;
    case Error::kNotFound:
      told.text =
          "there is no queue" + name +
          " and none is made for it: correct the name, or add [queue.NAME] to the configuration, which "
          "says [queues] strict = true";
      break;
    case Error::kQueueFull:
      told.text =
          "the queue" + name +
          " was full for as long as a submit may wait there; start consumers, or raise its max_depth or "
          "max_bytes in the configuration";
      break;
    case Error::kDuplicateRequest:
      told.text =
          "this idempotency key was used for another job in the last 24 hours: send the same content again "
          "to "
          "get that job's id, or take another key";
      break;
    case Error::kUnauthorized:
      // Who may not even connect is told why.
      if (failure.text != error_text(Error::kUnauthorized)) break;
      told.text = "this user may not submit into the queue" + name +
                  ", or not on somebody's behalf: an administrator gives it `producer`, and `act_for`, under "
                  "[access] in the daemon's configuration";
      break;
    case Error::kNoSpace:
      told.text =
          "the daemon's disk is too full to take jobs; `pqctl health` says how full, free space and it goes "
          "on "
          "by itself";
      break;
    case Error::kUnavailable:
      if (is_away(failure)) break;
      told.text =
          "the queue" + name + " is being drained and takes no jobs; `pqctl queue resume` opens it again";
      break;
    default:
      break;
  }
  return complaint_of(told);
}

}  // namespace pqd::ctl
