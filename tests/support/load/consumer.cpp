#include <deque>

#include "tests/support/load/load_role.h"

namespace pqd::test {
namespace {

constexpr Milliseconds kIdle{20};  // nothing came for so long: what is held is settled
constexpr Milliseconds kDecided{120'000};
constexpr size_t kHeldMax = 8;
constexpr uint32_t kShare = 100;  // chances are parts of it

class Consumer : LoadRole {
 public:
  using LoadRole::LoadRole;

  int run() {
    const auto subscribed =
        client_.subscribe({.queue = process_.options.queue, .credits = process_.options.credits});
    if (!subscribed) {
      (void)failed("subscribe", subscribed.error());
      return kLoadBad;
    }
    while (!process_.board.stop.load(std::memory_order_relaxed)) {
      const size_t before = held_.size();
      if (!take()) return kLoadBad;
      const size_t keep = held_.size() == before || process_.options.mix == 0 ? 0 : held_max_;
      while (held_.size() > keep)
        if (!settle_oldest()) return kLoadBad;
      if (!learn(false)) return kLoadBad;
    }
    return learn(true) ? kLoadGood : kLoadBad;
  }

 private:
  struct Sent {
    Ticket ticket;
    Deed deed;
  };

  bool take() {
    if (process_.options.mix != 0 && process_.who % 2 == 0) {
      auto batch = client_.next_batch(kIdle);
      if (!batch) return failed("next_batch", batch.error());
      for (DeliveredJob& job : *batch)
        if (!hold(std::move(job))) return false;
      return true;
    }
    auto job = client_.next(kIdle);
    if (!job) return failed("next", job.error());
    return !*job || hold(std::move(**job));
  }

  bool hold(DeliveredJob job) {
    Deed deed = about(job);
    deed.kind = Deed::Kind::kTook;
    if (!note(deed)) return false;
    held_max_ = stirred(process_.options.mix, job.token().lease) % kHeldMax;
    held_.push_back(std::move(job));
    return true;
  }

  static Deed about(const DeliveredJob& job) {
    Deed deed{.content = content_of(job.metadata()).value_or(UINT64_MAX),
              .id = job.id(),
              .token = job.token(),
              .payload = entry_hash(job.payload())};
    deed.attempt = job.attempt();
    deed.max_attempts = job.max_attempts();
    return deed;
  }

  bool settle_oldest() {
    const DeliveredJob job = std::move(held_.front());
    held_.pop_front();
    Deed deed = about(job);
    deed.kind = Deed::Kind::kSettles;
    bool retry = true;
    bool extends = false;
    if (process_.options.mix != 0) {
      const uint64_t chance = stirred(process_.options.mix + job.token().epoch, job.token().lease) % kShare;
      if (chance < 12) deed.verdict = Deed::Verdict::kFail;
      if (chance >= 12 && chance < 17) deed.verdict = Deed::Verdict::kRelease;
      retry = chance != 0;
      extends = chance >= 90;
    } else if (process_.options.fail_some && job.attempt() == 1 && job.id().counter() % 16 == 0) {
      deed.verdict = Deed::Verdict::kFail;
    }
    if (extends) {
      const auto extended = client_.extend(job, {.progress = 50, .note = "half of it"});
      if (!extended) return failed("extend", extended.error());
    }
    // Before the daemon can know of it, so that whatever comes of it comes later.
    if (!note(deed)) return false;
    const auto ticket = deed.verdict == Deed::Verdict::kFail      ? client_.fail(job, "once", retry)
                        : deed.verdict == Deed::Verdict::kRelease ? client_.release(job)
                                                                  : client_.complete(job);
    // A lease that is known to be lost is not even sent.
    if (!ticket && ticket.error().error != Error::kLeaseLost) return failed("settle", ticket.error());
    process_.board.handled.fetch_add(1, std::memory_order_relaxed);
    if (ticket) sent_.push_back({*ticket, deed});
    return true;
  }

  // What became of settlements, as far as it is known, or of all.
  bool learn(bool all) {
    while (!sent_.empty()) {
      Sent& oldest = sent_.front();
      std::optional<Result<Outcome>> outcome;
      if (all) {
        outcome = client_.wait(oldest.ticket, kDecided);
      } else {
        auto known = client_.poll(oldest.ticket);
        if (known && !*known) return true;
        outcome = known ? Result<Outcome>(**known) : Result<Outcome>(std::unexpected(known.error()));
      }
      oldest.deed.kind = Deed::Kind::kSettled;
      oldest.deed.outcome = *outcome ? Deed::Outcome::kOk : Deed::Outcome::kRefused;
      if (!*outcome && outcome->error().error != Error::kLeaseLost)
        return failed("settlement", outcome->error());
      if (!note(oldest.deed)) return false;
      sent_.pop_front();
    }
    return true;
  }

  std::deque<DeliveredJob> held_;
  std::deque<Sent> sent_;
  size_t held_max_ = 0;
};

}  // namespace

int consume(const Forked::Say& say, const LoadProcess& process) {
  return run_role<Consumer>("consumer", say, process);
}

}  // namespace pqd::test
