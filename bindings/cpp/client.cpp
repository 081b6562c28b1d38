#include "bindings/cpp/client.h"

#include "bindings/cpp/client_core.h"

namespace pqd {
namespace {

template <class Info, class Decode>
Result<std::vector<Info>> decode_all(Result<Answer> answer, Decode decode) {
  if (!answer) return std::unexpected(std::move(answer.error()));
  std::vector<Info> infos;
  infos.reserve(answer->parts.size());
  for (const Bytes& part : answer->parts) {
    auto info = decode(part);
    if (!info) return fail_with(info.error(), "the daemon's answer could not be read");
    infos.push_back(std::move(*info));
  }
  return infos;
}

template <class Info>
Result<Info> only(Result<std::vector<Info>> infos) {
  if (!infos) return std::unexpected(std::move(infos.error()));
  if (infos->empty()) return std::unexpected(failure_of(Error::kNotFound));
  return std::move(infos->front());
}

QueryHead query_of(QueryKind kind, const ListFilter& filter) {
  QueryHead head;
  head.kind = kind;
  head.id = filter.older_than;
  head.since_ms = filter.since_ms;
  head.until_ms = filter.until_ms;
  head.limit = filter.limit;
  head.owner_uid = filter.owner_uid.value_or(head.owner_uid);
  head.states = filter.states;
  if (filter.newer_than) {
    head.oldest_first = 1;
    head.id = JobId{0, *filter.newer_than};
  }
  return head;
}

QueryHead query_of(QueryKind kind, const JobId& id = {}) {
  QueryHead head;
  head.kind = kind;
  head.id = id;
  return head;
}

Failure bad_name() { return {Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -", 0}; }

Failure too_long(std::string_view what, size_t bytes) {
  return {Error::kPayloadTooLarge, std::string(what) + " is over " + std::to_string(bytes) + " bytes", 0};
}

}  // namespace

Client::Client(std::unique_ptr<ClientCore> core) : core_(std::move(core)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(const ConnectOptions& options) {
  auto core = std::make_unique<ClientCore>(options);
  if (auto connected = core->connect(); !connected) return std::unexpected(std::move(connected.error()));
  return Client(std::move(core));
}

Result<Ticket> Client::submit(const SubmitRequest& request) { return core_->submit(request); }
Result<std::vector<Ticket>> Client::submit_many(std::span<const SubmitRequest> requests) {
  return core_->submit_many(requests);
}
Result<Outcome> Client::wait(const Ticket& ticket, Milliseconds timeout) {
  return core_->wait(ticket, timeout);
}
Result<std::optional<Outcome>> Client::poll(const Ticket& ticket) { return core_->poll(ticket); }
Result<FlushReport> Client::flush(Milliseconds timeout) { return core_->flush(timeout); }

Result<JobInfo> Client::get(const JobId& id) {
  return only(decode_all<JobInfo>(core_->ask(query_of(QueryKind::kJob, id), {}, {}), decode_job_info));
}
Result<std::vector<JobInfo>> Client::list(const ListFilter& filter) {
  return decode_all<JobInfo>(core_->ask(query_of(QueryKind::kJobs, filter), filter.queue, filter.type),
                             decode_job_info);
}
Result<std::vector<QueueInfo>> Client::queues(std::string_view name) {
  return decode_all<QueueInfo>(core_->ask(query_of(QueryKind::kQueues), name, {}), decode_queue_info);
}
Result<std::vector<JobInfo>> Client::dlq(const ListFilter& filter) {
  return decode_all<JobInfo>(core_->ask(query_of(QueryKind::kDlq, filter), filter.queue, filter.type),
                             decode_job_info);
}
Result<JobInfo> Client::dlq_get(const JobId& id) {
  return only(decode_all<JobInfo>(core_->ask(query_of(QueryKind::kDlqJob, id), {}, {}), decode_job_info));
}
Result<HealthInfo> Client::health() {
  return only(decode_all<HealthInfo>(core_->ask(query_of(QueryKind::kHealth), {}, {}), decode_health_info));
}

Result<std::vector<MetricsInfo>> Client::metrics(const MetricsQuery& query) {
  QueryHead head = query_of(QueryKind::kMetrics);
  head.since_ms = query.since_ms;
  head.until_ms = query.until_ms;
  head.limit = query.limit;
  if (query.by_queue) head.metrics_by |= kMetricsByQueue;
  if (query.by_type) head.metrics_by |= kMetricsByType;
  return decode_all<MetricsInfo>(core_->ask(head, query.queue, query.type), decode_metrics_info);
}

Result<std::string> Client::copy_store() {
  const auto answer = core_->ask(query_of(QueryKind::kCopy), {}, {});
  if (!answer) return std::unexpected(answer.error());
  if (answer->parts.size() != 1)
    return fail_with(Error::kSystemError, "the daemon's answer could not be read");
  return std::string(as_text(answer->parts.front()));
}

Result<Explanation> Client::explain(const JobId& id) {
  return only(
      decode_all<Explanation>(core_->ask(query_of(QueryKind::kExplain, id), {}, {}), decode_explanation));
}

Result<uint32_t> Client::watch(const WatchOptions& options) { return core_->watch(options); }
Result<void> Client::unwatch(uint32_t number) { return core_->unwatch(number); }
Result<std::optional<JobEvent>> Client::next_event(Milliseconds timeout) {
  return core_->next_event(timeout);
}
Result<std::vector<JobEvent>> Client::recent_events(const WatchOptions& options) {
  return core_->recent_events(options);
}

Result<void> Client::cancel(const JobId& id, bool running) {
  return core_->command(write_cancel(id, running), id);
}
Result<void> Client::redrive(const JobId& id) { return core_->command(write_redrive(id), id); }
Result<void> Client::review(const JobId& id, std::string_view resolution) {
  if (resolution.empty()) return fail_with(Error::kInvalidRequest, "the resolution must say something");
  if (resolution.size() > limits::kNoteBytesMax) {
    return std::unexpected(too_long("the resolution", limits::kNoteBytesMax));
  }
  return core_->command(write_review(id, resolution), id);
}
Result<void> Client::purge(const JobId& id) { return core_->command(write_purge(id), id); }
Result<ManyOutcome> Client::redrive_many(std::span<const JobId> ids) {
  return core_->command_many(ids, write_redrive);
}
Result<ManyOutcome> Client::purge_many(std::span<const JobId> ids) {
  return core_->command_many(ids, write_purge);
}
Result<void> Client::queue_configure(std::string_view queue, const QueueSettings& settings, QueueKeys keys) {
  if (!valid_name(queue)) return std::unexpected(bad_name());
  if (keys == 0 || !settings_in_range(settings, keys)) {
    return fail_with(Error::kInvalidRequest, "no setting is named, or one is out of its range");
  }
  return core_->command(write_queue_configure(queue, settings, keys), {});
}
Result<void> Client::queue_reset(std::string_view queue) {
  if (!valid_name(queue)) return std::unexpected(bad_name());
  return core_->command(write_queue_configure(queue, {}, 0), {});
}
Result<void> Client::queue_control(QueueAction action, std::string_view queue) {
  if (!valid_name(queue)) {
    return fail_with(Error::kInvalidRequest, "a name must be 1 to 64 of A-Z a-z 0-9 . _ : -");
  }
  return core_->command(write_queue_control(action, queue), {});
}

Result<uint32_t> Client::subscribe(const Subscription& subscription) {
  return core_->subscribe(subscription);
}
Result<void> Client::unsubscribe(uint32_t number) { return core_->unsubscribe(number); }
Result<std::optional<DeliveredJob>> Client::next(Milliseconds timeout) { return core_->next(timeout); }

Result<std::vector<DeliveredJob>> Client::next_batch(Milliseconds timeout) {
  return core_->next_batch(timeout);
}

Result<Ticket> Client::start(const DeliveredJob& job) {
  return core_->settle(job, RecordKind::kStart, {}, {});
}
Result<Ticket> Client::complete(const DeliveredJob& job, ByteView result) {
  if (result.size() > limits::kResultBytesMax) {
    return std::unexpected(too_long("the result", limits::kResultBytesMax));
  }
  return core_->settle(job, RecordKind::kComplete, {}, result);
}
Result<Ticket> Client::fail(const DeliveredJob& job, std::string_view error, bool retry) {
  SettleHead head;
  head.head.flags = retry ? uint16_t{0} : kFlagDoNotRetry;
  // The beginning of a long error says most; refusing to fail a job because of it would help nobody.
  return core_->settle(job, RecordKind::kFail, head, as_bytes(error.substr(0, limits::kNoteBytesMax)));
}
Result<Ticket> Client::release(const DeliveredJob& job) {
  return core_->settle(job, RecordKind::kRelease, {}, {});
}
Result<Ticket> Client::extend(const DeliveredJob& job, const ExtendRequest& request) {
  if (request.progress > 100) return fail_with(Error::kInvalidRequest, "the progress must be 0 to 100");
  if (request.note.size() > limits::kNoteBytesMax) {
    return std::unexpected(too_long("the note", limits::kNoteBytesMax));
  }
  SettleHead head;
  head.progress = request.progress;
  head.extend_ms = request.extend_ms;
  return core_->settle(job, RecordKind::kExtend, head, as_bytes(request.note));
}
bool Client::cancel_requested(const DeliveredJob& job) { return core_->cancel_requested(job); }

int Client::fd() { return core_->fd(); }
Result<void> Client::process() { return core_->process(); }
bool Client::arm() { return core_->arm(); }

uint64_t Client::session() const { return core_->session().welcome.session; }
uint32_t Client::max_payload_bytes() const { return core_->session().welcome.max_payload_bytes; }
const std::string& Client::socket() const { return core_->socket_path(); }
const ClientCounters& Client::counters() const { return core_->counters(); }

}  // namespace pqd
