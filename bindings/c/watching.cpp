// Why a job waits, and what changes.
#include "bindings/c/handles.h"

namespace {

using namespace pqd;
using namespace pqd::c_abi;

static_assert(PQD_AWAITS_SETTLING == static_cast<int>(Awaits::kSettling));
static_assert(PQD_AWAITS_KEY == static_cast<int>(Awaits::kItsKey));
static_assert(PQD_CHANGE_GAP == static_cast<int>(ChangeKind::kGap));
static_assert(PQD_CHANGE_PROGRESS == static_cast<int>(ChangeKind::kProgress));
static_assert(PQD_CHANGE_PURGED == static_cast<int>(ChangeKind::kPurged));
static_assert(PQD_CHANGE_REDRIVEN == static_cast<int>(ChangeKind::kRedriven));

// Points into `e`.
pqd_explanation explanation_of(const Explanation& e) {
  pqd_explanation value;
  pqd_explanation_init(&value);
  value.id = id_of(e.id);
  value.queue = e.queue.c_str();
  value.type = e.type.c_str();
  value.text = awaits_text(e.awaits).data();  // a literal
  value.behind = id_of(e.behind);
  value.ahead = e.ahead;
  value.consumers = e.consumers;
  value.active = e.active;
  value.until_ms = e.until_ns / kMillisecondNs;
  value.timeout_ms = e.timeout_ns / kMillisecondNs;
  value.holder = e.holder;
  value.holder_pid = e.holder_pid;
  value.holder_uid = e.holder_uid;
  value.attempts = e.attempts;
  value.max_attempts = e.max_attempts;
  value.awaits = static_cast<uint8_t>(e.awaits);
  value.state = static_cast<uint8_t>(e.state);
  value.reason = static_cast<uint8_t>(e.reason);
  value.cancel_requested = e.cancel_requested ? 1 : 0;
  return value;
}

// Points into `e`.
pqd_event event_of(const JobEvent& e) {
  pqd_event value;
  pqd_event_init(&value);
  value.id = id_of(e.id);
  value.queue = e.queue.c_str();
  value.type = e.type.c_str();
  value.when_ms = e.when_ns / kMillisecondNs;
  value.number = e.number;
  value.lost = e.lost;
  value.watch = e.watch;
  value.owner_uid = e.owner_uid;
  value.attempt = e.attempt;
  value.change = static_cast<uint8_t>(e.kind);
  value.state = static_cast<uint8_t>(e.state);
  value.reason = static_cast<uint8_t>(e.reason);
  value.progress = e.progress;
  value.interrupted = e.interrupted ? 1 : 0;
  return value;
}

Result<WatchOptions> wanted_of(const pqd_watch_options* options) {
  const pqd_watch_options defaults = PQD_WATCH_OPTIONS_INIT;
  const auto read = read_sized(options == nullptr ? defaults : *options, defaults);
  if (!read || read->reserved != 0 || read->states > 0xFF)
    return misused("the options' size is not set, or a field is out of its range");
  WatchOptions wanted;
  wanted.queue = view_of(read->queue);
  wanted.type = view_of(read->type);
  wanted.job = id_of(read->job);
  wanted.states = static_cast<uint8_t>(read->states);
  if (read->owner_uid != defaults.owner_uid) wanted.owner_uid = read->owner_uid;
  wanted.last = read->last;
  return wanted;
}

}  // namespace

extern "C" {

pqd_status pqd_explain(pqd_client* client, const pqd_id* id, pqd_explanation* explanation) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (id == nullptr || explanation == nullptr) return misused("there is no id, or no explanation");
    auto explained = c.explain(id_of(*id));
    if (!explained) return std::unexpected(std::move(explained.error()));
    client->explanation = std::move(*explained);
    if (!write_sized(explanation_of(client->explanation), explanation))
      return misused("the explanation's size is not set");
    return {};
  });
}

pqd_status pqd_watch(pqd_client* client, const pqd_watch_options* options, uint32_t* number) {
  return guarded(client, [&](Client& c) -> Result<void> {
    const auto wanted = wanted_of(options);
    if (!wanted) return std::unexpected(wanted.error());
    const auto begun = c.watch(*wanted);
    if (!begun) return std::unexpected(begun.error());
    if (number != nullptr) *number = *begun;
    return {};
  });
}

pqd_status pqd_unwatch(pqd_client* client, uint32_t number) {
  return guarded(client, [&](Client& c) { return c.unwatch(number); });
}

pqd_status pqd_next_event(pqd_client* client, int64_t timeout_ms, pqd_event* event) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (event == nullptr) return misused("there is no event");
    // Before one is taken: it could not be given back.
    if (event->size < sizeof event->size || event->size > kStructBytesMax)
      return misused("the event's size is not set");
    auto next = c.next_event(Milliseconds(timeout_ms));
    if (!next) return std::unexpected(std::move(next.error()));
    if (!*next) return fail_with(Error::kRequestTimeout, "no event came within the time");
    client->event = std::move(**next);
    write_sized(event_of(client->event), event);
    return {};
  });
}

pqd_status pqd_recent_events(pqd_client* client, const pqd_watch_options* options,
                             pqd_event_callback callback, void* user) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (callback == nullptr) return misused("there is no callback");
    const auto wanted = wanted_of(options);
    if (!wanted) return std::unexpected(wanted.error());
    const auto events = c.recent_events(*wanted);
    if (!events) return std::unexpected(events.error());
    for (const JobEvent& event : *events) {
      const pqd_event value = event_of(event);
      if (callback(&value, user) != 0) break;
    }
    return {};
  });
}

}  // extern "C"
