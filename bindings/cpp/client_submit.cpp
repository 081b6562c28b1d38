// Submitting: the hot path. With room in the lane and the worker awake it makes no system call and allocates
// nothing.
#include "bindings/cpp/client_router.h"
#include "shm/crash_point.h"

namespace pqd {
namespace {

// Where the job goes: what is not ordered by priority ranks as NORMAL.
Lane lane_for(Mode mode, uint8_t priority) {
  return mode == Mode::kPriority ? lane_of_priority(priority) : Lane::kNormal;
}

// The real one is made when there is room; this one passes the check.
constexpr JobId kIdForChecking = JobId::make(1, 0, 0, 1);

}  // namespace

SubmitView ClientCore::view_of(const SubmitRequest& r) const {
  SubmitView view;
  SubmitHead& head = view.head;
  head.id = kIdForChecking;
  head.head.flags = r.backoff_jitter ? kFlagBackoffJitter : uint16_t{0};
  head.not_before_ms = r.not_before_ms;
  head.queue_timeout_ms = r.queue_timeout_ms;
  head.processing_timeout_ms = r.processing_timeout_ms;
  head.backoff_first_ms = r.backoff_first_ms;
  head.backoff_cap_ms = r.backoff_cap_ms;
  head.max_attempts = r.max_attempts;
  head.mode = static_cast<uint8_t>(r.mode);
  head.priority = r.priority;
  head.delivery = static_cast<uint8_t>(r.delivery);
  head.durability = static_cast<uint8_t>(r.durability.value_or(router_.options().durability));
  view.queue = r.queue;
  view.type = r.type;
  view.idempotency_key = r.idempotency_key;
  view.ordering_key = r.ordering_key;
  view.subject = r.subject;
  view.traceparent = r.traceparent;
  view.metadata = r.metadata;
  view.payload = r.payload;
  return view;
}

Failure ClientCore::fault_failure(const SubmitFault& fault, const SubmitView& view) const {
  const uint32_t payload_bytes_max = session_->welcome.max_payload_bytes;
  if (fault.error != Error::kPayloadTooLarge || view.payload.size() <= payload_bytes_max)
    return {fault.error, std::string(fault.what), 0};
  return {fault.error,
          "the payload has " + std::to_string(view.payload.size()) + " bytes, the daemon takes " +
              std::to_string(payload_bytes_max) +
              " (max_payload_bytes); store it elsewhere and submit a reference",
          0};
}

SubmitFault ClientCore::check_fits(const SubmitView& view, Lane lane) const {
  if (submit_record_bytes(view) <= session_->writers[lane_index(lane)].max_record_bytes()) return {};
  return {Error::kPayloadTooLarge, "the job is over half the lane; connect with a larger lane"};
}

void ClientCore::write_one(SubmitView& view, Lane lane, uint32_t bytes) {
  RingWriter& writer = session_->writer(lane);
  view.head.id = session_->next_id(lane);
  write_submit_record(view, writer.reserve(bytes));
  writer.commit(bytes);
}

Ticket ClientCore::ticket_of(const JobId& id, Lane lane, Durability durability) {
  return Ticket{id,
                session_->count(lane, durability),
                outcomes_.generation(),
                static_cast<uint8_t>(lane),
                durability,
                partition_};
}

Result<void> ClientCore::wait_for_room(Lane lane, uint64_t bytes, Milliseconds timeout) {
  const auto has_room = [this, lane, bytes] {
    const RingWriter& writer = session_->writer(lane);
    // acquire: pairs with the engine's release store of the head.
    const uint64_t head = session_->down.lane(lane).head.load(std::memory_order_acquire);
    return writer.capacity() - (writer.published() - head) >= bytes;
  };
  for (;;) {
    // The time for room begins when the session is there.
    if (away_) {
      const auto back =
          router_.wait_until([this] { return !away_; }, Deadline::in(router_.away_timeout()), this);
      if (back != Waited::kReady) return std::unexpected(away_failure());
    }
    const auto known = [&] { return away_ || has_room(); };
    const Waited waited = router_.wait_until(known, Deadline::in(timeout), this);
    if (away_) continue;
    if (waited == Waited::kReady) return {};
    break;
  }
  return fail_with(Error::kQueueFull,
                   "the lane to the daemon had no room for " + std::to_string(timeout.count()) +
                       " ms; it does not keep up, try again later",
                   1'000);
}

Result<Ticket> ClientCore::submit(const SubmitRequest& request) {
  if (auto usable = router_.check_usable(); !usable) [[unlikely]]
    return std::unexpected(std::move(usable.error()));
  SubmitView view = view_of(request);
  SubmitFault fault = check_submit(view, session_->welcome.max_payload_bytes);
  if (fault.error != Error::kOk) [[unlikely]]
    return std::unexpected(fault_failure(fault, view));
  const Lane lane = lane_for(request.mode, request.priority);
  fault = check_fits(view, lane);
  if (fault.error != Error::kOk) [[unlikely]]
    return fail_with(fault.error, std::string(fault.what));
  const auto bytes = static_cast<uint32_t>(submit_record_bytes(view));
  // Who only submits never looks at the socket otherwise, where the next supervisor's word may be.
  // relaxed: a hint, no data hangs on it.
  if (session_->down.header().engine_state.load(std::memory_order_relaxed) !=
      static_cast<uint32_t>(EngineState::kServing)) [[unlikely]]
    look_at_socket();
  if (away_ || session_->writer(lane).reserve(bytes).empty()) [[unlikely]] {
    auto room = wait_for_room(lane, padded_record_bytes(bytes), router_.submit_timeout());
    if (!room) return std::unexpected(std::move(room.error()));
  }
  write_one(view, lane, bytes);
  PQD_CRASH_POINT("submit-written");
  session_->writer(lane).publish();
  PQD_CRASH_POINT("submit-published");
  session_->bell.ring_if_sleeping();
  PQD_CRASH_POINT("submit-rung");
  ++router_.counters().submitted;
  const auto durability = static_cast<Durability>(view.head.durability);
  return ticket_of(view.head.id, lane, durability);
}

Result<std::vector<Ticket>> ClientCore::submit_many(std::span<const SubmitRequest> requests) {
  if (auto usable = router_.check_usable(); !usable) return std::unexpected(std::move(usable.error()));
  if (requests.empty() || requests.size() > limits::kBatchSubmitMax) {
    return fail_with(Error::kInvalidRequest, "an atomic submit takes 1 to 65536 jobs");
  }
  std::vector<SubmitView> views;
  views.reserve(requests.size());
  Lane lane = Lane::kLow;
  for (const SubmitRequest& request : requests) {
    SubmitView& view = views.emplace_back(view_of(request));
    view.head.batch_count = static_cast<uint32_t>(requests.size());
    view.head.batch_index = static_cast<uint32_t>(views.size() - 1);
    const SubmitFault fault = check_submit(view, session_->welcome.max_payload_bytes);
    if (fault.error != Error::kOk) {
      Failure failure = fault_failure(fault, view);
      failure.text.insert(0, "job " + std::to_string(views.size()) + ": ");
      return std::unexpected(std::move(failure));
    }
    if (view.queue != views[0].queue || view.head.durability != views[0].head.durability) {
      return fail_with(Error::kInvalidRequest, "an atomic submit is for one queue, with one durability");
    }
    lane = std::max(lane, lane_for(request.mode, request.priority));
  }
  return send_batch(views, lane);
}

Result<std::vector<Ticket>> ClientCore::send_batch(std::span<SubmitView> views, Lane lane) {
  uint64_t total = 0;
  for (const SubmitView& view : views) {
    if (const SubmitFault fault = check_fits(view, lane); fault.error != Error::kOk) {
      return fail_with(fault.error, std::string(fault.what));
    }
    total += padded_record_bytes(static_cast<uint32_t>(submit_record_bytes(view)));
  }
  RingWriter& now = session_->writer(lane);
  if (total > now.capacity()) {
    return fail_with(Error::kPayloadTooLarge,
                     "the jobs together are over the lane's " + std::to_string(now.capacity()) +
                         " bytes; submit fewer at once or connect with a larger lane");
  }
  if (auto room = wait_for_room(lane, total, router_.submit_timeout()); !room) {
    return std::unexpected(std::move(room.error()));
  }
  std::vector<Ticket> tickets;
  tickets.reserve(views.size());
  for (SubmitView& view : views) {
    write_one(view, lane, static_cast<uint32_t>(submit_record_bytes(view)));
    const auto durability = static_cast<Durability>(view.head.durability);
    tickets.push_back(ticket_of(view.head.id, lane, durability));
  }
  PQD_CRASH_POINT("batch-written");
  session_->writer(lane).publish();
  PQD_CRASH_POINT("batch-published");
  session_->bell.ring_if_sleeping();
  router_.counters().submitted += views.size();
  return tickets;
}

}  // namespace pqd
