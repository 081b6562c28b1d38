#include "tests/support/load/load_job.h"

#include <charconv>

namespace pqd::test {
namespace {

constexpr uint32_t kPattern =
    32;  // after so many jobs of a producer atomic submits and shared keys come again
constexpr uint32_t kAtomicFrom = 24;
constexpr uint32_t kAtomicJobs = 4;
// Two jobs in a row with one key; and one that every producer has at this place.
constexpr uint32_t kTwiceAt = 5;
constexpr uint32_t kSharedAt = 13;
constexpr uint32_t kSharedProducer = 0xFFFF'FFFF;  // in the content of what is nobody's own
constexpr std::string_view kMark = R"({"load":)";
constexpr uint32_t kPayloadBytesMax = 700;
constexpr uint32_t kJobsAKey = 48;  // of each producer; then its ordering keys are others

bool has_key(uint32_t place) { return place == kTwiceAt || place == kTwiceAt + 1 || place == kSharedAt; }
bool in_atomic_submit(uint32_t place) { return place >= kAtomicFrom && place < kAtomicFrom + kAtomicJobs; }

uint64_t mixed_content(uint64_t number) {
  const uint32_t job = static_cast<uint32_t>(number);
  const uint32_t place = job % kPattern;
  if (place == kTwiceAt + 1) return number - 1;
  if (place == kSharedAt) return load_number(kSharedProducer, job);
  return number;
}

void mix(LoadJob& made, uint64_t seed) {
  const uint32_t job = static_cast<uint32_t>(made.content);
  const uint32_t place = job % kPattern;
  uint64_t chance = stirred(seed, made.content);
  const auto below = [&chance](uint64_t bound) {
    chance = stirred(chance, bound);
    return chance % bound;
  };
  made.payload.assign(below(kPayloadBytesMax), static_cast<char>('a' + below(26)));
  made.payload += std::to_string(made.content);
  made.type = below(2) == 0 ? "left" : "right";
  if (below(5) == 0) made.delivery = pqd::Delivery::kAtMostOnce;
  if (below(4) == 0) made.durability = Durability::kOs;
  made.max_attempts = static_cast<uint16_t>(1 + below(6));
  made.backoff_first_ms = static_cast<uint32_t>(1 + below(20));
  if (below(4) == 0) made.subject = "tenant " + std::to_string(below(3));
  if (has_key(place)) made.idempotency_key = "key " + std::to_string(made.content);
  if (in_atomic_submit(place)) made.durability = Durability::kFsync;
  if (has_key(place) || in_atomic_submit(place)) return;
  if (below(8) == 0) made.durability = Durability::kMemory;
  if (below(3) == 0) {
    made.mode = Mode::kPriority;
    made.priority = static_cast<uint8_t>(1 + below(20));
  } else if (below(6) == 0) {
    made.mode = Mode::kBatch;
  }
  if (below(3) == 0)
    made.ordering_key = std::to_string(producer_of(made.content)) + "." + std::to_string(job / kJobsAKey) +
                        "." + std::to_string(below(3));
  if (below(24) == 0) made.queue_timeout_ms = static_cast<uint32_t>(5 + below(60));
  if (below(12) == 0) made.delay_ms = static_cast<int64_t>(1 + below(80));
}

}  // namespace

uint64_t stirred(uint64_t seed, uint64_t value) {
  uint64_t x = seed * 0x9E37'79B9'7F4A'7C15u + value + 0x632B'E59B'D9B4'E019u;
  x = (x ^ (x >> 30)) * 0xBF58'476D'1CE4'E5B9u;
  x = (x ^ (x >> 27)) * 0x94D0'49BB'1331'11EBu;
  return x ^ (x >> 31);
}

AtomicSubmit atomic_submit(const LoadOptions& options, uint64_t number) {
  const uint32_t place = static_cast<uint32_t>(number) % kPattern;
  if (options.mix == 0 || !in_atomic_submit(place)) return {number, 1};
  return {number - (place - kAtomicFrom), kAtomicJobs};
}

LoadJob load_job(const LoadOptions& options, uint64_t number) {
  LoadJob made;
  made.content = options.mix != 0 ? mixed_content(number) : number;
  made.metadata = std::string(kMark) + std::to_string(made.content) + "}";
  if (options.mix != 0) {
    mix(made, options.mix);
    return made;
  }
  made.payload = "payload " + std::to_string(number);
  made.delivery = options.delivery;
  made.durability = options.durability;
  made.max_attempts = options.max_attempts;
  made.backoff_first_ms = options.backoff_first_ms;
  if (options.ordering_keys != 0)
    made.ordering_key = std::to_string(producer_of(number)) + "." +
                        std::to_string(static_cast<uint32_t>(number) % options.ordering_keys);
  return made;
}

SubmitRequest LoadJob::request(const LoadOptions& options, int64_t now_ms) const {
  SubmitRequest request{.type = type, .queue = options.queue, .payload = as_bytes(payload)};
  request.mode = mode;
  request.priority = priority;
  request.delivery = delivery;
  request.durability = durability;
  request.max_attempts = max_attempts;
  request.not_before_ms = delay_ms == 0 ? 0 : now_ms + delay_ms;
  request.backoff_first_ms = backoff_first_ms;
  request.queue_timeout_ms = queue_timeout_ms;
  request.idempotency_key = idempotency_key;
  request.ordering_key = ordering_key;
  request.subject = subject;
  request.metadata = metadata;
  return request;
}

std::optional<uint64_t> content_of(std::string_view metadata) {
  if (!metadata.starts_with(kMark)) return std::nullopt;
  metadata.remove_prefix(kMark.size());
  uint64_t content = 0;
  const auto end = metadata.data() + metadata.size();
  const auto [at, error] = std::from_chars(metadata.data(), end, content);
  if (error != std::errc() || at == end || *at != '}') return std::nullopt;
  return content;
}

}  // namespace pqd::test
