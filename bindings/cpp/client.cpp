#include "bindings/cpp/client.h"

#include "bindings/cpp/client_router.h"

namespace pqd {
namespace {

Failure bad_name() { return {Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -", 0}; }

Failure too_long(std::string_view what, size_t bytes) {
  return {Error::kPayloadTooLarge, std::string(what) + " is over " + std::to_string(bytes) + " bytes", 0};
}

QueueKeys backoff_keys() { return *queue_key_bit("backoff") | *queue_key_bit("backoff_cap"); }

}  // namespace

Client::Client(std::unique_ptr<ClientRouter> router) : router_(std::move(router)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(const ConnectOptions& options) {
  auto router = std::make_unique<ClientRouter>(options);
  if (auto connected = router->connect(); !connected) return std::unexpected(std::move(connected.error()));
  return Client(std::move(router));
}

Result<Ticket> Client::submit(const SubmitRequest& request) { return router_->submit(request); }
Result<std::vector<Ticket>> Client::submit_many(std::span<const SubmitRequest> requests) {
  return router_->submit_many(requests);
}
Result<Outcome> Client::wait(const Ticket& ticket, Milliseconds timeout) {
  return router_->wait(ticket, timeout);
}
Result<std::optional<Outcome>> Client::poll(const Ticket& ticket) { return router_->poll(ticket); }
Result<FlushReport> Client::flush(Milliseconds timeout) { return router_->flush(timeout); }

Result<uint32_t> Client::watch(const WatchOptions& options) { return router_->watch(options); }
Result<void> Client::unwatch(uint32_t number) { return router_->unwatch(number); }
Result<std::optional<JobEvent>> Client::next_event(Milliseconds timeout) {
  return router_->next_event(timeout);
}
Result<std::vector<JobEvent>> Client::recent_events(const WatchOptions& options) {
  return router_->recent_events(options);
}

Result<void> Client::cancel(const JobId& id, bool running) {
  return router_->command_for_job(write_cancel(id, running), id);
}
Result<void> Client::redrive(const JobId& id) { return router_->command_for_job(write_redrive(id), id); }
Result<void> Client::review(const JobId& id, std::string_view resolution) {
  if (resolution.empty()) return fail_with(Error::kInvalidRequest, "the resolution must say something");
  if (resolution.size() > limits::kNoteBytesMax) {
    return std::unexpected(too_long("the resolution", limits::kNoteBytesMax));
  }
  return router_->command_for_job(write_review(id, resolution), id);
}
Result<void> Client::purge(const JobId& id) { return router_->command_for_job(write_purge(id), id); }
Result<ManyOutcome> Client::redrive_many(std::span<const JobId> ids) {
  return router_->command_many(ids, write_redrive);
}
Result<ManyOutcome> Client::purge_many(std::span<const JobId> ids) {
  return router_->command_many(ids, write_purge);
}
Result<void> Client::queue_configure(std::string_view queue, const QueueSettings& settings, QueueKeys keys) {
  if (!valid_name(queue)) return std::unexpected(bad_name());
  if (keys == 0 || !settings_in_range(settings, keys)) {
    return fail_with(Error::kInvalidRequest, "no setting is named, or one is out of its range");
  }
  auto done = router_->command_for_queue(write_queue_configure(queue, settings, keys), queue);
  // All that the ranges leave to be wrong.
  if (!done && done.error().error == Error::kInvalidRequest && (keys & backoff_keys()) != 0)
    done.error().text = "backoff would be longer than backoff_cap: set both";
  return done;
}
Result<void> Client::queue_reset(std::string_view queue) {
  if (!valid_name(queue)) return std::unexpected(bad_name());
  return router_->command_for_queue(write_queue_configure(queue, {}, 0), queue);
}
Result<void> Client::queue_control(QueueAction action, std::string_view queue) {
  if (!valid_name(queue)) {
    return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  return router_->command_for_queue(write_queue_control(action, queue), queue);
}

Result<void> Client::cron_set(const ScheduleRequest& request) { return router_->cron_set(request); }
Result<void> Client::cron_remove(std::string_view name) { return router_->cron_remove(name); }

Result<uint32_t> Client::subscribe(const Subscription& subscription) {
  return router_->subscribe(subscription);
}
Result<void> Client::unsubscribe(uint32_t number) { return router_->unsubscribe(number); }
Result<std::optional<DeliveredJob>> Client::next(Milliseconds timeout) { return router_->next(timeout); }

Result<std::vector<DeliveredJob>> Client::next_batch(Milliseconds timeout) {
  return router_->next_batch(timeout);
}

Result<Ticket> Client::start(const DeliveredJob& job) {
  return router_->settle(job, RecordKind::kStart, {}, {});
}
Result<Ticket> Client::complete(const DeliveredJob& job, ByteView result) {
  if (result.size() > limits::kResultBytesMax) {
    return std::unexpected(too_long("the result", limits::kResultBytesMax));
  }
  return router_->settle(job, RecordKind::kComplete, {}, result);
}
Result<Ticket> Client::fail(const DeliveredJob& job, std::string_view error, bool retry) {
  SettleHead head;
  head.head.flags = retry ? uint16_t{0} : kFlagDoNotRetry;
  // The beginning of a long error says most; refusing to fail a job because of it would help nobody.
  return router_->settle(job, RecordKind::kFail, head, as_bytes(error.substr(0, limits::kNoteBytesMax)));
}
Result<Ticket> Client::release(const DeliveredJob& job) {
  return router_->settle(job, RecordKind::kRelease, {}, {});
}
Result<Ticket> Client::extend(const DeliveredJob& job, const ExtendRequest& request) {
  if (request.progress > 100) return fail_with(Error::kInvalidRequest, "the progress must be 0 to 100");
  if (request.note.size() > limits::kNoteBytesMax) {
    return std::unexpected(too_long("the note", limits::kNoteBytesMax));
  }
  SettleHead head;
  head.progress = request.progress;
  head.extend_ms = request.extend_ms;
  return router_->settle(job, RecordKind::kExtend, head, as_bytes(request.note));
}
bool Client::cancel_requested(const DeliveredJob& job) { return router_->cancel_requested(job); }

int Client::fd() { return router_->fd(); }
Result<void> Client::process() { return router_->process(); }
bool Client::arm() { return router_->arm(); }

uint64_t Client::session() const { return router_->session().welcome.session; }
uint32_t Client::max_payload_bytes() const { return router_->session().welcome.max_payload_bytes; }
const std::string& Client::socket() const { return router_->socket_path(); }
const ClientCounters& Client::counters() const { return router_->counters(); }

}  // namespace pqd
