// Connecting, event loops, submitting.
#include "bindings/c/handles.h"

namespace {

using namespace pqd;
using namespace pqd::c_abi;

// Of this thread's last pqd_connect(): there is no client yet to keep it in.
thread_local Failure connect_failure{Error::kOk, {}, 0};

Result<void> fill(const Outcome& outcome, pqd_outcome* to) {
  if (to == nullptr) return {};
  pqd_outcome value = PQD_OUTCOME_INIT;
  value.id = id_of(outcome.id);
  value.duplicate = outcome.duplicate ? 1 : 0;
  value.state = outcome.state ? static_cast<uint8_t>(static_cast<unsigned>(*outcome.state) + 1) : uint8_t{0};
  if (!write_sized(value, to)) return misused("the outcome's size is not set");
  return {};
}

Result<SubmitRequest> request_of(const pqd_submit_options* job) {
  if (job == nullptr) return misused("there is no job");
  const auto request = submit_request_of(*job);
  if (!request) return misused("the job's size is not set, or a reserved field is not zero");
  if (is_hollow(request->payload.data(), request->payload.size()))
    return misused("the payload is NULL and has bytes");
  return *request;
}

pqd_status keep(Failure failure) {
  connect_failure = std::move(failure);
  return status_of(connect_failure.error);
}

}  // namespace

extern "C" {

const char* pqd_version(void) { return PQD_VERSION; }

pqd_status pqd_status_of_reason(pqd_reason reason) {
  return static_cast<pqd_status>(pqd::error_of(static_cast<pqd::Reason>(reason)));
}

// The texts are literals, so that they end in a zero.
const char* pqd_status_name(pqd_status status) { return error_name(error_of(status)).data(); }
const char* pqd_status_text(pqd_status status) { return error_text(error_of(status)).data(); }

const char* pqd_last_error(const pqd_client* client) {
  const Failure& last = client == nullptr ? connect_failure : client->last;
  if (last.error != Error::kOk && last.text.empty()) return pqd_status_text(status_of(last.error));
  return last.text.c_str();
}

uint32_t pqd_last_retry_after_ms(const pqd_client* client) {
  return (client == nullptr ? connect_failure : client->last).retry_after_ms;
}

void pqd_id_to_string(const pqd_id* id, char* text) {
  const std::string value = id_of(*id).to_string();
  std::memcpy(text, value.c_str(), PQD_ID_TEXT_BYTES);
}

pqd_status pqd_id_parse(const char* text, pqd_id* id) {
  const auto parsed = JobId::parse(view_of(text));
  if (!parsed) return PQD_INVALID_REQUEST;
  *id = id_of(*parsed);
  return PQD_OK;
}

pqd_status pqd_connect(const pqd_connect_options* options, pqd_client** client) {
  if (client == nullptr) return PQD_INVALID_REQUEST;
  *client = nullptr;
  try {
    const pqd_connect_options defaults = PQD_CONNECT_OPTIONS_INIT;
    const auto wanted = connect_options_of(options == nullptr ? defaults : *options);
    if (!wanted) {
      return keep(
          {Error::kInvalidRequest, "the options' size is not set, or a field is out of its range", 0});
    }
    auto connected = Client::connect(*wanted);
    if (!connected) return keep(std::move(connected.error()));
    *client = new pqd_client{std::move(*connected)};
    return PQD_OK;
  } catch (const std::exception&) {
    return keep({Error::kSystemError, {}, 0});
  }
}

void pqd_close(pqd_client* client) { delete client; }

int pqd_get_fd(pqd_client* client) {
  int fd = -1;
  guarded(client, [&](Client& c) -> Result<void> {
    fd = c.fd();
    if (fd < 0)
      return fail_with(Error::kSystemError, "there is no descriptor left, or this is a forked child");
    return {};
  });
  return fd;
}

pqd_status pqd_process(pqd_client* client) {
  return guarded(client, [](Client& c) { return c.process(); });
}

int pqd_arm(pqd_client* client) {
  bool armed = false;
  guarded(client, [&](Client& c) -> Result<void> {
    armed = c.arm();
    return {};
  });
  return armed ? 1 : 0;
}

pqd_status pqd_submit(pqd_client* client, const pqd_submit_options* job, pqd_id* id, pqd_ticket* ticket) {
  return guarded(client, [&](Client& c) -> Result<void> {
    const auto request = request_of(job);
    if (!request) return std::unexpected(request.error());
    const auto sent = c.submit(*request);
    if (sent && id != nullptr) *id = id_of(sent->id);
    return done(sent, ticket);
  });
}

pqd_status pqd_submit_many(pqd_client* client, const pqd_submit_options* const* jobs, size_t count,
                           pqd_ticket* tickets) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (jobs == nullptr || count > limits::kBatchSubmitMax)
      return misused("there are no jobs, or more than 65536");
    std::vector<SubmitRequest> requests;
    for (size_t i = 0; i < count; ++i) {
      const auto request = request_of(jobs[i]);
      if (!request) return std::unexpected(request.error());
      requests.push_back(*request);
    }
    const auto sent = c.submit_many(requests);
    if (!sent) return std::unexpected(sent.error());
    for (size_t i = 0; tickets != nullptr && i < count; ++i) tickets[i] = ticket_of((*sent)[i]);
    return {};
  });
}

pqd_status pqd_wait(pqd_client* client, const pqd_ticket* ticket, int64_t timeout_ms, pqd_outcome* outcome) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (ticket == nullptr) return misused("there is no ticket");
    const auto decided = c.wait(ticket_of(*ticket), Milliseconds(timeout_ms));
    if (!decided) return std::unexpected(decided.error());
    return fill(*decided, outcome);
  });
}

pqd_status pqd_poll(pqd_client* client, const pqd_ticket* ticket, pqd_progress* progress,
                    pqd_outcome* outcome) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (ticket == nullptr || progress == nullptr) return misused("there is no ticket, or no progress");
    *progress = PQD_REFUSED;
    const auto decided = c.poll(ticket_of(*ticket));
    if (!decided) return std::unexpected(decided.error());
    *progress = *decided ? PQD_DONE : PQD_PENDING;
    return *decided ? fill(**decided, outcome) : Result<void>();
  });
}

pqd_status pqd_flush(pqd_client* client, int64_t timeout_ms, uint64_t* refused) {
  return guarded(client, [&](Client& c) -> Result<void> {
    const auto report = c.flush(Milliseconds(timeout_ms));
    if (!report) return std::unexpected(report.error());
    if (refused != nullptr) *refused = report->refused;
    return {};
  });
}

uint32_t pqd_max_payload_bytes(const pqd_client* client) {
  return client == nullptr ? 0 : client->client.max_payload_bytes();
}

void pqd_get_counters(const pqd_client* client, pqd_counters* counters) {
  if (client == nullptr || counters == nullptr) return;
  const ClientCounters& now = client->client.counters();
  const pqd_counters value{sizeof value,   now.submitted,  now.submits_refused, now.settlements_refused,
                           now.deliveries, now.reconnects, now.resubmitted};
  write_sized(value, counters);
}

}  // extern "C"
