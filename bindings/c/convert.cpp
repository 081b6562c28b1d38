#include "bindings/c/convert.h"

#include <bit>

namespace pqd::c_abi {
namespace {

template <size_t N>
bool all_zero(const uint8_t (&bytes)[N]) {
  return std::all_of(std::begin(bytes), std::end(bytes), [](uint8_t byte) { return byte == 0; });
}

// A fixed set of values that C and C++ must agree on.
static_assert(PQD_OK == static_cast<int>(Error::kOk) &&
              PQD_QUEUE_FULL == static_cast<int>(Error::kQueueFull));
static_assert(PQD_REQUEST_TIMEOUT == static_cast<int>(Error::kRequestTimeout));
static_assert(PQD_PROCESSING_TIMEOUT == static_cast<int>(Error::kProcessingTimeout));
static_assert(PQD_INVALID_REQUEST == static_cast<int>(Error::kInvalidRequest));
static_assert(PQD_INVALID_PRIORITY == static_cast<int>(Error::kInvalidPriority));
static_assert(PQD_INVALID_MODE == static_cast<int>(Error::kInvalidMode));
static_assert(PQD_INVALID_STATUS == static_cast<int>(Error::kInvalidStatus));
static_assert(PQD_PAYLOAD_TOO_LARGE == static_cast<int>(Error::kPayloadTooLarge));
static_assert(PQD_WORKER_UNAVAILABLE == static_cast<int>(Error::kWorkerUnavailable));
static_assert(PQD_RATE_LIMIT_EXCEEDED == static_cast<int>(Error::kRateLimitExceeded));
static_assert(PQD_DUPLICATE_REQUEST == static_cast<int>(Error::kDuplicateRequest));
static_assert(PQD_UNAUTHORIZED == static_cast<int>(Error::kUnauthorized));
static_assert(PQD_NOT_FOUND == static_cast<int>(Error::kNotFound));
static_assert(PQD_LEASE_LOST == static_cast<int>(Error::kLeaseLost));
static_assert(PQD_NO_SPACE == static_cast<int>(Error::kNoSpace));
static_assert(PQD_UNAVAILABLE == static_cast<int>(Error::kUnavailable));
static_assert(PQD_UNKNOWN_OUTCOME == static_cast<int>(Error::kUnknownOutcome));
static_assert(PQD_SYSTEM_ERROR == static_cast<int>(Error::kSystemError) &&
              kErrorCount == PQD_SYSTEM_ERROR + 1);
static_assert(PQD_DURABILITY_FSYNC == static_cast<int>(Durability::kFsync));
static_assert(PQD_DURABILITY_OS == static_cast<int>(Durability::kOs));
static_assert(PQD_DURABILITY_MEMORY == static_cast<int>(Durability::kMemory));
static_assert(PQD_MODE_FIFO == static_cast<int>(Mode::kFifo));
static_assert(PQD_MODE_PRIORITY == static_cast<int>(Mode::kPriority));
static_assert(PQD_MODE_BATCH == static_cast<int>(Mode::kBatch));
static_assert(PQD_AT_LEAST_ONCE == static_cast<int>(Delivery::kAtLeastOnce));
static_assert(PQD_AT_MOST_ONCE == static_cast<int>(Delivery::kAtMostOnce));
static_assert(PQD_STATE_PENDING == static_cast<int>(JobState::kPending));
static_assert(PQD_STATE_CANCELLED == static_cast<int>(JobState::kCancelled) && kJobStateCount == 7);
static_assert(PQD_REASON_FAILED_BY_CONSUMER == static_cast<int>(Reason::kFailedByConsumer));
static_assert(PQD_REASON_DELIVERY_LOST == static_cast<int>(Reason::kDeliveryLost) && kReasonCount == 8);
static_assert(PQD_QUEUE_PAUSE == static_cast<int>(QueueAction::kPause));
static_assert(PQD_QUEUE_DRAIN == static_cast<int>(QueueAction::kDrain));
static_assert(PQD_TIMEOUT_DEFAULT == kTimeoutDefault);
static_assert(PQD_PRIORITY_LOW == int{kPriorityLow} && PQD_PRIORITY_NORMAL == int{kPriorityNormal});
static_assert(PQD_PRIORITY_HIGH == int{kPriorityHigh} && PQD_PRIORITY_CRITICAL == int{kPriorityCritical});

// The layouts of this major version on 64 bits; what is passed by pointer and size may grow at the end.
static_assert(sizeof(pqd_id) == 16 && sizeof(pqd_ticket) == 32 && sizeof(pqd_outcome) == 32);

uint64_t big_endian(uint64_t value) {
  return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

}  // namespace

pqd_id id_of(const JobId& id) {
  const std::array<uint64_t, 2> words{big_endian(id.high), big_endian(id.low)};
  return std::bit_cast<pqd_id>(words);
}

JobId id_of(const pqd_id& id) {
  const auto words = std::bit_cast<std::array<uint64_t, 2>>(id);
  return {big_endian(words[0]), big_endian(words[1])};
}

pqd_ticket ticket_of(const Ticket& ticket) {
  return {id_of(ticket.id),
          ticket.sequence,
          ticket.generation,
          ticket.lane,
          static_cast<uint8_t>(ticket.durability),
          ticket.partition,
          {}};
}

Ticket ticket_of(const pqd_ticket& ticket) {
  return {id_of(ticket.id),
          ticket.sequence,
          ticket.generation,
          ticket.lane,
          static_cast<Durability>(ticket.durability),
          ticket.partition};
}

std::optional<ConnectOptions> connect_options_of(const pqd_connect_options& options) {
  const auto from = read_sized(options, PQD_CONNECT_OPTIONS_INIT);
  if (!from || from->durability > PQD_DURABILITY_MEMORY || !all_zero(from->reserved)) return std::nullopt;
  ConnectOptions to;
  to.socket = view_of(from->socket);
  to.name = view_of(from->name);
  to.sizes.lane_bytes.fill(from->lane_bytes);
  to.sizes.receipt_slots = from->receipt_slots;
  to.sizes.deliveries_bytes = from->deliveries_bytes;
  to.sizes.answers_bytes = from->answers_bytes;
  to.connect_timeout_ms = from->connect_timeout_ms;
  to.reconnect_timeout_ms = from->reconnect_timeout_ms;
  to.submit_timeout_ms = from->submit_timeout_ms;
  to.answer_timeout_ms = from->answer_timeout_ms;
  to.durability = static_cast<Durability>(from->durability);
  return to;
}

std::optional<SubmitRequest> submit_request_of(const pqd_submit_options& options) {
  const auto from = read_sized(options, PQD_SUBMIT_OPTIONS_INIT);
  if (!from || from->reserved2 != 0 || !all_zero(from->reserved)) return std::nullopt;
  if ((from->flags & ~PQD_FLAG_BACKOFF_JITTER) != 0) return std::nullopt;
  SubmitRequest to;
  to.type = view_of(from->type);
  to.queue = view_of(from->queue, "default");
  to.payload = bytes_of(from->payload, from->payload_bytes);
  to.mode = static_cast<Mode>(from->mode);
  to.priority = from->priority;
  to.delivery = static_cast<Delivery>(from->delivery);
  if (from->durability != PQD_DURABILITY_DEFAULT) to.durability = static_cast<Durability>(from->durability);
  to.backoff_jitter = (from->flags & PQD_FLAG_BACKOFF_JITTER) != 0;
  to.max_attempts = from->max_attempts;
  to.not_before_ms = from->not_before_ms;
  to.queue_timeout_ms = from->queue_timeout_ms;
  to.processing_timeout_ms = from->processing_timeout_ms;
  to.backoff_first_ms = from->backoff_first_ms;
  to.backoff_cap_ms = from->backoff_cap_ms;
  to.idempotency_key = view_of(from->idempotency_key);
  to.ordering_key = view_of(from->ordering_key);
  to.subject = view_of(from->subject);
  to.traceparent = view_of(from->traceparent);
  to.metadata = view_of(from->metadata);
  return to;
}

std::optional<ListFilter> list_filter_of(const pqd_list_options& options) {
  const auto from = read_sized(options, PQD_LIST_OPTIONS_INIT);
  if (!from || from->states > 0xFF || from->reserved != 0) return std::nullopt;
  ListFilter to;
  to.queue = view_of(from->queue);
  to.type = view_of(from->type);
  to.states = static_cast<uint8_t>(from->states);
  to.since_ms = from->since_ms;
  to.until_ms = from->until_ms;
  if (from->owner_uid != UINT32_MAX) to.owner_uid = from->owner_uid;
  to.limit = from->limit;
  to.older_than = id_of(from->older_than);
  return to;
}

}  // namespace pqd::c_abi
