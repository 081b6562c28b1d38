#include <deque>

#include "tests/support/eventually.h"
#include "tests/support/load/load_process.h"

namespace pqd::test {
namespace {

constexpr Milliseconds kIdle{20};  // nothing came for so long: what is held is settled
constexpr Milliseconds kDecided{120'000};
constexpr size_t kHeldMax = 8;
constexpr uint32_t kShare = 100;  // chances are parts of it

class Consumer {
 public:
  Consumer(const Forked::Say& say, const LoadProcess& process, Client client)
      : say_(say), process_(process), log_(process.log), client_(std::move(client)) {}

  int run() {
    const auto subscribed =
        client_.subscribe({.queue = process_.options.queue, .credits = process_.options.credits});
    if (!subscribed) return load_failed(say_, "subscribe", subscribed.error());
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

  bool note(Deed deed) {
    deed.who = process_.who;
    deed.moment = process_.board.moments.fetch_add(1, std::memory_order_relaxed);
    return log_.add(deed);
  }
  bool failed(const std::string& what, const Failure& failure) {
    load_failed(say_, what, failure);
    return false;
  }

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

  const Forked::Say& say_;
  const LoadProcess& process_;
  DeedLog log_;
  Client client_;
  std::deque<DeliveredJob> held_;
  std::deque<Sent> sent_;
  size_t held_max_ = 0;
};

}  // namespace

Result<Client> load_client(const std::string& socket, const char* name) {
  ConnectOptions options;
  options.socket = socket;
  options.name = name;
  options.reconnect_timeout_ms = 60'000;
  options.submit_timeout_ms = 60'000;
  auto client = Client::connect(options);
  eventually([&] {
    if (client || client.error().error != Error::kUnavailable) return true;
    client = Client::connect(options);
    return false;
  });
  return client;
}

int load_failed(const Forked::Say& say, const std::string& what, const Failure& failure) {
  say(what + ": " + std::string(error_name(failure.error)) + ": " + failure.text);
  return kLoadBad;
}

int consume(const Forked::Say& say, const LoadProcess& process) {
  auto client = load_client(process.socket, "consumer");
  if (!client) return load_failed(say, "connect", client.error());
  process.board.connected.fetch_add(1, std::memory_order_relaxed);
  return Consumer(say, process, std::move(*client)).run();
}

}  // namespace pqd::test
