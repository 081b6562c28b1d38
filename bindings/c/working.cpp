// Subscribing, deliveries, settlements.
#include <memory>

#include "bindings/c/handles.h"

namespace {

using namespace pqd;
using namespace pqd::c_abi;

// One settlement of a delivery.
template <class Settle>
pqd_status settle(pqd_client* client, const pqd_delivery* delivery, pqd_ticket* ticket, Settle how) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (delivery == nullptr) return misused("there is no delivery");
    return done(how(c, delivery->job), ticket);
  });
}

}  // namespace

extern "C" {

pqd_status pqd_subscribe(pqd_client* client, const pqd_subscribe_options* options, uint32_t* number) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (options == nullptr) return misused("there are no options");
    const pqd_subscribe_options defaults = PQD_SUBSCRIBE_OPTIONS_INIT;
    const auto from = read_sized(*options, defaults);
    if (!from || from->reserved != 0) return misused("the options' size is not set, or a field is not zero");
    if (from->type_count > limits::kSubscriptionTypesMax || is_hollow(from->types, from->type_count))
      return misused("there are no types, or more than 64; none at all means every type");
    Subscription wanted;
    wanted.queue = view_of(from->queue, "default");
    wanted.credits = from->credits;
    for (size_t i = 0; i < from->type_count; ++i) wanted.types.push_back(view_of(from->types[i]));
    const auto taken = c.subscribe(wanted);
    if (!taken) return std::unexpected(taken.error());
    if (number != nullptr) *number = *taken;
    return {};
  });
}

pqd_status pqd_unsubscribe(pqd_client* client, uint32_t number) {
  return guarded(client, [&](Client& c) { return c.unsubscribe(number); });
}

pqd_status pqd_next(pqd_client* client, int64_t timeout_ms, pqd_delivery** delivery) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (delivery == nullptr) return misused("there is nowhere to put the delivery");
    *delivery = nullptr;
    auto job = c.next(Milliseconds(timeout_ms));
    if (!job) return std::unexpected(std::move(job.error()));
    if (!*job) return fail_with(Error::kRequestTimeout, "no job came within the time");
    *delivery = new pqd_delivery(std::move(**job));
    return {};
  });
}

void pqd_delivery_free(pqd_delivery* delivery) { delete delivery; }

pqd_status pqd_next_batch(pqd_client* client, int64_t timeout_ms, pqd_batch** batch) {
  return guarded(client, [&](Client& c) -> Result<void> {
    if (batch == nullptr) return misused("there is nowhere to put the batch");
    *batch = nullptr;
    auto jobs = c.next_batch(Milliseconds(timeout_ms));
    if (!jobs) return std::unexpected(std::move(jobs.error()));
    if (jobs->empty()) return fail_with(Error::kRequestTimeout, "no whole batch came within the time");
    auto taken = std::make_unique<pqd_batch>();
    taken->deliveries.reserve(jobs->size());
    for (DeliveredJob& job : *jobs) taken->deliveries.emplace_back(std::move(job));
    *batch = taken.release();
    return {};
  });
}

size_t pqd_batch_size(const pqd_batch* batch) { return batch == nullptr ? 0 : batch->deliveries.size(); }
const pqd_delivery* pqd_batch_delivery(const pqd_batch* batch, size_t index) {
  return index < pqd_batch_size(batch) ? &batch->deliveries[index] : nullptr;
}
void pqd_batch_free(pqd_batch* batch) { delete batch; }

pqd_id pqd_delivery_id(const pqd_delivery* delivery) { return id_of(delivery->job.id()); }
const void* pqd_delivery_payload(const pqd_delivery* delivery, size_t* bytes) {
  const ByteView payload = delivery->job.payload();
  if (bytes != nullptr) *bytes = payload.size();
  return payload.data();
}
const char* pqd_delivery_queue(const pqd_delivery* delivery) { return delivery->queue.c_str(); }
const char* pqd_delivery_type(const pqd_delivery* delivery) { return delivery->type.c_str(); }
const char* pqd_delivery_subject(const pqd_delivery* delivery) { return delivery->subject.c_str(); }
const char* pqd_delivery_traceparent(const pqd_delivery* delivery) { return delivery->traceparent.c_str(); }
const char* pqd_delivery_ordering_key(const pqd_delivery* delivery) { return delivery->ordering_key.c_str(); }
const char* pqd_delivery_metadata(const pqd_delivery* delivery) { return delivery->metadata.c_str(); }
uint32_t pqd_delivery_attempt(const pqd_delivery* delivery) { return delivery->job.attempt(); }
uint32_t pqd_delivery_max_attempts(const pqd_delivery* delivery) { return delivery->job.max_attempts(); }
uint32_t pqd_delivery_priority(const pqd_delivery* delivery) { return delivery->job.priority(); }
pqd_mode pqd_delivery_get_mode(const pqd_delivery* delivery) {
  return static_cast<pqd_mode>(delivery->job.mode());
}
uint32_t pqd_delivery_owner_uid(const pqd_delivery* delivery) { return delivery->job.owner_uid(); }
uint32_t pqd_delivery_subscription(const pqd_delivery* delivery) { return delivery->job.subscription(); }
int64_t pqd_delivery_lease_until_ms(const pqd_delivery* delivery) { return delivery->job.lease_until_ms(); }

int pqd_delivery_cancel_requested(pqd_client* client, const pqd_delivery* delivery) {
  bool stop = false;
  guarded(client, [&](Client& c) -> Result<void> {
    if (delivery == nullptr) return misused("there is no delivery");
    stop = c.cancel_requested(delivery->job);
    return {};
  });
  return stop ? 1 : 0;
}

pqd_status pqd_start(pqd_client* client, const pqd_delivery* delivery, pqd_ticket* ticket) {
  return settle(client, delivery, ticket, [](Client& c, const DeliveredJob& job) { return c.start(job); });
}

pqd_status pqd_complete(pqd_client* client, const pqd_delivery* delivery, const void* result,
                        size_t result_bytes, pqd_ticket* ticket) {
  return settle(client, delivery, ticket, [&](Client& c, const DeliveredJob& job) -> Result<Ticket> {
    if (is_hollow(result, result_bytes)) return misused("the result is NULL and has bytes");
    return c.complete(job, bytes_of(result, result_bytes));
  });
}

pqd_status pqd_fail(pqd_client* client, const pqd_delivery* delivery, const char* error, int retry,
                    pqd_ticket* ticket) {
  return settle(client, delivery, ticket,
                [&](Client& c, const DeliveredJob& job) { return c.fail(job, view_of(error), retry != 0); });
}

pqd_status pqd_release(pqd_client* client, const pqd_delivery* delivery, pqd_ticket* ticket) {
  return settle(client, delivery, ticket, [](Client& c, const DeliveredJob& job) { return c.release(job); });
}

pqd_status pqd_extend(pqd_client* client, const pqd_delivery* delivery, uint32_t extend_ms, uint32_t progress,
                      const char* note, pqd_ticket* ticket) {
  return settle(client, delivery, ticket, [&](Client& c, const DeliveredJob& job) {
    const auto percent = static_cast<uint8_t>(std::min(progress, 101u));  // 101 is refused below
    return c.extend(job, {extend_ms, percent, view_of(note)});
  });
}

}  // extern "C"
