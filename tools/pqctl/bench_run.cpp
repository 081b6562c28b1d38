#include "tools/pqctl/bench_run.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <ctime>
#include <thread>
#include <tuple>

#include "tools/pqctl/submit_fields.h"

namespace pqd::ctl {
namespace {

constexpr const char* kType = "pqctl-bench";
constexpr uint32_t kCredits = 1'024;
constexpr uint64_t kStretchMax = 1'000;
constexpr uint64_t kBurstMax = 20'000;
constexpr uint64_t kWindowMax = 4'096;
constexpr unsigned kBetweenLooks = 64;
constexpr Milliseconds kPatience{20};
// A queue that is paused, or consumers that others have: no more comes.
constexpr unsigned kLooksMax = 25;
constexpr Milliseconds kAnswerTimeout{30'000};
constexpr uint32_t kListed = 1'000;
constexpr uint8_t kLive = (1u << static_cast<unsigned>(JobState::kPending)) |
                          (1u << static_cast<unsigned>(JobState::kAssigned)) |
                          (1u << static_cast<unsigned>(JobState::kProcessing));

// What stands at the beginning of each payload.
struct Stamp {
  int64_t run = 0;
  int64_t submitted_ns = 0;
};
static_assert(sizeof(Stamp) == kBenchBytesMin);

int64_t now_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

ListFilter own_jobs(const BenchOptions& options, uint32_t limit) {
  return {.queue = options.queue, .type = kType, .states = kLive, .owner_uid = ::getuid(), .limit = limit};
}

// So many jobs on their way keep all busy: the submits and completions of some commits for each that may be
// in hand. More of them would only wait, and make all that is measured late.
uint64_t window_for(uint32_t max_active) {
  if (max_active == 0) return kWindowMax;
  return std::clamp<uint64_t>(uint64_t{8} * max_active, kBetweenLooks, kWindowMax);
}

uint32_t max_active_of(Client& client, const std::string& queue) {
  const auto queues = client.queues(queue);
  return queues && !queues->empty() ? queues->front().settings.max_active : 0;
}

Complaint refused(Error error, const std::string& queue) {
  return refusal_of({error, std::string(error_text(error)), 0}, queue);
}

}  // namespace

bool BenchRun::over(int64_t until_ns) const {
  return now_ns() >= until_ns || interrupt_.asked() || limited_.load(std::memory_order_relaxed);
}

SubmitRequest BenchRun::request(ByteView payload) const {
  return {.type = kType,
          .queue = options_.queue,
          .payload = payload,
          .durability = options_.durability,
          .max_attempts = 1'000,  // what dies with us is no dead letter
          .queue_timeout_ms = 0};
}

Checked<void> BenchRun::begin() {
  run_ = now_ns() ^ ::getpid();
  for (unsigned i = 0; i < options_.producers; ++i) {
    auto client = context_.connect();
    if (!client) return std::unexpected(client.error());
    producers_.push_back(std::move(*client));
  }
  auto consumer = context_.connect();
  if (!consumer) return std::unexpected(consumer.error());
  const std::string_view type = kType;
  const auto number = consumer->subscribe({.queue = options_.queue, .types = {type}, .credits = kCredits});
  consumer_ = std::move(*consumer);
  if (!number) may_not_consume_ = complaint_of(number.error());
  return clean();
}

// How many jobs may come before the queue is full; one too few rather than one too many.
uint64_t BenchRun::room() {
  const auto queues = consumer_->queues(options_.queue);
  if (!queues || queues->empty()) return 1;  // it is made by the first submit
  const QueueInfo& queue = queues->front();
  const uint64_t by_bytes = queue.settings.max_bytes / std::max<uint64_t>(options_.bytes, 1);
  const uint64_t most = std::min<uint64_t>(queue.settings.max_depth, by_bytes);
  const uint64_t there = queue.ready + queue.scheduled + queue.held + queue.collecting + queue.active;
  return most > there ? most - there : 0;
}

BenchFigure BenchRun::acknowledgements() {
  BenchFigure figure;
  Bytes payload(options_.bytes);
  const Stamp stamp{run_, 0};
  std::memcpy(payload.data(), &stamp, sizeof stamp);
  const int64_t began_ns = now_ns();
  const int64_t until_ns = began_ns + options_.seconds_ns();
  const uint64_t stretch = std::clamp<uint64_t>(room() / 2, 1, kStretchMax);
  int64_t apart_ns = 0;  // for taking them away, which is not measured
  while (!over(until_ns)) {
    const int64_t from_ns = now_ns();
    const auto ticket = producers_[0].submit(request(payload));
    const auto outcome =
        ticket ? producers_[0].wait(*ticket, kAnswerTimeout) : std::unexpected(ticket.error());
    const int64_t to_ns = now_ns();
    if (!outcome) {
      figure.limit = refusal_of(outcome.error(), options_.queue);
      break;
    }
    figure.latency.add(to_ns - from_ns);
    ++figure.jobs;
    if (figure.jobs % stretch != 0) continue;
    take_away();
    apart_ns += now_ns() - to_ns;
  }
  figure.seconds = static_cast<double>(now_ns() - began_ns - apart_ns) / 1e9;
  std::ignore =
      producers_[0].flush(kAnswerTimeout);  // a refusal has been told, the next flush is about others
  take_away();
  return figure;
}

// All of it acknowledged, in as few commits as the daemon makes of it.
void BenchRun::burst(Client& producer, uint64_t jobs, uint64_t& accepted, std::optional<Complaint>& limit) {
  Bytes payload(options_.bytes);
  const Stamp stamp{run_, 0};
  std::memcpy(payload.data(), &stamp, sizeof stamp);
  const uint64_t refused_before = producer.counters().submits_refused;
  uint64_t sent = 0;
  for (; sent < jobs && !interrupt_.asked(); ++sent) {
    const auto ticket = producer.submit(request(payload));
    if (ticket) continue;
    limit = complaint_of(ticket.error());
    break;
  }
  const auto flushed = producer.flush(kAnswerTimeout);
  if (!flushed) {
    limit = complaint_of(flushed.error());
    return;
  }
  const uint64_t refused_now = producer.counters().submits_refused - refused_before;
  accepted = sent - std::min(sent, refused_now);
  if (refused_now > 0) limit = refused(flushed->first, options_.queue);
}

BenchFigure BenchRun::submits() {
  BenchFigure figure;
  const int64_t until_ns = now_ns() + options_.seconds_ns();
  while (!over(until_ns) && !figure.limit) {
    const uint64_t jobs = std::min(room() / producers_.size(), kBurstMax / producers_.size());
    if (jobs == 0) {
      figure.limit = refused(Error::kQueueFull, options_.queue);
      break;
    }
    std::vector<uint64_t> accepted(producers_.size());
    std::vector<std::optional<Complaint>> limits(producers_.size());
    const int64_t from_ns = now_ns();
    {
      std::vector<std::jthread> threads;
      for (size_t i = 0; i < producers_.size(); ++i)
        threads.emplace_back([&, i] { burst(producers_[i], jobs, accepted[i], limits[i]); });
    }
    figure.seconds += static_cast<double>(now_ns() - from_ns) / 1e9;
    for (const uint64_t count : accepted) figure.jobs += count;
    for (const auto& limit : limits)
      if (limit) figure.limit = limit;
    take_away();
  }
  return figure;
}

void BenchRun::produce(Client& producer, uint64_t window, int64_t until_ns, std::optional<Complaint>& limit) {
  Bytes payload(options_.bytes);
  const uint64_t refused_before = producer.counters().submits_refused;
  while (!over(until_ns)) {
    for (unsigned i = 0; i < kBetweenLooks && !limit; ++i) {
      // relaxed: only how many there are, nothing hangs on it.
      if (submitted_.load(std::memory_order_relaxed) >= completed_.load(std::memory_order_relaxed) + window) {
        ::usleep(100);
        break;
      }
      const Stamp stamp{run_, now_ns()};
      std::memcpy(payload.data(), &stamp, sizeof stamp);
      submitted_.fetch_add(1, std::memory_order_relaxed);
      if (const auto ticket = producer.submit(request(payload)); !ticket)
        limit = complaint_of(ticket.error());
    }
    if (const auto seen = producer.process(); !seen) limit = complaint_of(seen.error());
    if (!limit && producer.counters().submits_refused == refused_before) continue;
    break;
  }
  const auto flushed = producer.flush(kAnswerTimeout);
  if (!flushed)
    limit = complaint_of(flushed.error());
  else if (flushed->refused > 0)
    limit = refused(flushed->first, options_.queue);
  if (limit) limited_.store(true, std::memory_order_relaxed);
}

BenchFigure BenchRun::lives() {
  BenchFigure figure;
  if (may_not_consume_) {
    figure.limit = may_not_consume_;
    return figure;
  }
  figure.max_active = max_active_of(*consumer_, options_.queue);
  const uint64_t window = std::min(room() / 2, window_for(figure.max_active));
  if (window == 0) {
    figure.limit = refused(Error::kQueueFull, options_.queue);
    return figure;
  }
  submitted_ = completed_ = 0;
  std::vector<std::optional<Complaint>> limits(producers_.size());
  const int64_t began_ns = now_ns();
  const int64_t until_ns = began_ns + options_.seconds_ns();
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < producers_.size(); ++i)
      threads.emplace_back([&, i] { produce(producers_[i], window, until_ns, limits[i]); });
    while (!over(until_ns)) complete_one(kPatience, &figure.latency);
    figure.seconds = static_cast<double>(now_ns() - began_ns) / 1e9;
    figure.jobs = completed_.load(std::memory_order_relaxed);
  }
  limited_ = false;
  for (const auto& limit : limits)
    if (limit) figure.limit = limit;
  take_away();
  return figure;
}

bool BenchRun::complete_one(Milliseconds patience, Samples* latency) {
  const auto job = consumer_->next(patience);
  if (!job || !*job) return false;
  Stamp stamp;
  const ByteView payload = (*job)->payload();
  if (payload.size() >= sizeof stamp) std::memcpy(&stamp, payload.data(), sizeof stamp);
  const bool ours = stamp.run == run_;
  if (latency != nullptr && ours && stamp.submitted_ns > 0) latency->add(now_ns() - stamp.submitted_ns);
  if (!consumer_->complete(**job)) return false;
  if (ours) completed_.fetch_add(1, std::memory_order_relaxed);
  return true;
}

// Takes what is there until no more comes; false = something is left.
bool BenchRun::drain() {
  const auto is_there = [this] {
    const auto jobs = consumer_->list(own_jobs(options_, 1));
    return jobs && !jobs->empty();
  };
  unsigned looks = 0;
  do {
    while (complete_one(kPatience, nullptr)) looks = 0;
    if (!consumer_->flush(kAnswerTimeout)) return false;
    if (!is_there()) return true;
  } while (++looks < kLooksMax);
  return false;
}

void BenchRun::take_away() {
  if (may_not_consume_ || !drain()) std::ignore = cancel_the_rest();  // clean() looks at what it says
}

// Those that cannot be consumed, one by one; how many are left.
Checked<uint64_t> BenchRun::cancel_the_rest() {
  for (;;) {
    const auto jobs = consumer_->list(own_jobs(options_, kListed));
    // A queue or a type that is not there has none.
    if (!jobs) return jobs.error().error == Error::kNotFound ? Checked<uint64_t>(0) : complain(jobs.error());
    uint64_t gone = 0;
    for (const JobInfo& job : *jobs) {
      if (consumer_->cancel(job.core.id)) ++gone;
    }
    if (jobs->size() < kListed || gone == 0) return jobs->size() - gone;
  }
}

Checked<void> BenchRun::clean() {
  take_away();
  const auto left = cancel_the_rest();
  if (!left) return std::unexpected(left.error());
  if (*left == 0) return {};
  return complain(kExitFailed, std::to_string(*left) + " jobs of type " + kType +
                                   " are in somebody's hands; " +
                                   "they are completed by the next `pqctl bench`");
}

}  // namespace pqd::ctl
