// What the opaque handles of the C ABI are, and the one way in: every function runs its body in guarded(),
// which keeps the failure for pqd_last_error() and lets no exception out. As thread-safe as the ABI says: one
// thread at a time a handle.
#pragma once

#include <exception>
#include <vector>

#include "bindings/c/convert.h"

struct pqd_client {
  pqd::Client client;
  pqd::Failure last{pqd::Error::kOk, {}, 0};
  // What the last pqd_get(), pqd_dlq_get(), pqd_health(), pqd_explain() or pqd_next_event() pointed to.
  pqd::JobInfo job{};
  std::vector<pqd_attempt_info> history{};
  std::string reasons{};
  pqd::Explanation explanation{};
  pqd::JobEvent event{};
};

struct pqd_delivery {
  explicit pqd_delivery(pqd::DeliveredJob taken)
      : job(std::move(taken)),
        queue(job.queue()),
        type(job.type()),
        subject(job.subject()),
        traceparent(job.traceparent()),
        ordering_key(job.ordering_key()),
        metadata(job.metadata()) {}

  pqd::DeliveredJob job;
  // With the zero at the end that C wants.
  std::string queue, type, subject, traceparent, ordering_key, metadata;
};

struct pqd_batch {
  std::vector<pqd_delivery> deliveries;
};

namespace pqd::c_abi {

inline std::unexpected<Failure> misused(std::string text) {
  return fail_with(Error::kInvalidRequest, std::move(text));
}

// `body` returns a Result<void>.
template <class Body>
pqd_status guarded(pqd_client* client, Body body) noexcept {
  if (client == nullptr) return PQD_INVALID_REQUEST;
  try {
    Result<void> result = body(client->client);
    if (result) return PQD_OK;
    client->last = std::move(result.error());
  } catch (const std::exception&) {
    client->last = {Error::kSystemError, {}, 0};  // no memory, not even for a sentence
  }
  return status_of(client->last.error);
}

inline Result<void> done(const Result<Ticket>& sent, pqd_ticket* ticket) {
  if (!sent) return std::unexpected(sent.error());
  if (ticket != nullptr) *ticket = ticket_of(*sent);
  return {};
}

}  // namespace pqd::c_abi
