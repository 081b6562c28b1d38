// One job as it was described on the command line or in a line of NDJSON: owns the text of every field,
// checks each where it is set and the whole before anything is sent.
#pragma once

#include <span>
#include <string>

#include "bindings/cpp/requests.h"
#include "tools/pqctl/complaint.h"

namespace pqd::ctl {

struct SubmitFields {
  std::string type;
  std::string queue = "default";
  std::string payload;
  Mode mode = Mode::kFifo;
  uint8_t priority = kPriorityNormal;
  Delivery delivery = Delivery::kAtLeastOnce;
  std::optional<Durability> durability;
  bool backoff_jitter = false;
  uint16_t max_attempts = 0;
  int64_t not_before_ms = 0;
  uint32_t queue_timeout_ms = kTimeoutDefault;
  uint32_t processing_timeout_ms = kTimeoutDefault;
  uint32_t backoff_first_ms = kTimeoutDefault;
  uint32_t backoff_cap_ms = kTimeoutDefault;
  std::string idempotency_key;
  std::string ordering_key;
  std::string subject;
  std::string traceparent;
  std::string metadata;

  // Views into this.
  SubmitRequest request() const;
};

// Sets the field that is called `name` in NDJSON from text. kInvalidRequest: no such field, or not a value of
// it; kInvalidPriority, kInvalidMode likewise.
Checked<void> set_field(SubmitFields& fields, std::string_view name, std::string_view text);
// All names that set_field() knows; `payload` and `metadata` are taken as they are.
std::span<const std::string_view> field_names();

// A job out of its options and its payload, which is text, @FILE or -; nothing = an empty one. Checked as a
// whole.
Checked<SubmitFields> read_fields(const std::vector<std::pair<std::string, std::string>>& options,
                                  const std::optional<std::string>& payload);

// Whether the whole can be submitted, as far as that can be told without a daemon.
Checked<void> check_fields(const SubmitFields& fields);

// Whether a submit failed for want of the daemon, so that the next one will, too, or for a reason of its own.
// UNAVAILABLE may be either: a queue that is being drained says so as well.
bool is_away(const Failure& failure);

// The daemon's refusal of a job that check_fields() has let pass, with what to do about it. `queue`: the
// job's;
// "" = not known any more.
Complaint refusal_of(const Failure& failure, std::string_view queue = {});

}  // namespace pqd::ctl
