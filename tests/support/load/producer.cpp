#include <algorithm>
#include <chrono>
#include <deque>
#include <thread>

#include "tests/support/eventually.h"
#include "tests/support/load/load_role.h"

namespace pqd::test {
namespace {

constexpr Milliseconds kDecided{120'000};  // far beyond every restart: who waits longer is stuck

int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<Milliseconds>(now).count();
}

class Producer : LoadRole {
 public:
  using LoadRole::LoadRole;

  int run() {
    for (;;) {
      const bool stop = process_.board.stop_submitting.load(std::memory_order_relaxed);
      if (stop && open_.empty()) return kLoadGood;
      bool good = true;
      if (!stop && open_.size() < process_.options.window && claim()) {
        good = send();
      } else if (!open_.empty()) {
        good = decide();
      } else {
        good = stay_alive();
      }
      if (!good) return kLoadBad;
    }
  }

 private:
  struct Open {
    Ticket ticket;
    uint64_t number = 0;
  };

  // Room in what all producers may send; an atomic submit counts once.
  bool claim() {
    uint64_t claimed = process_.board.claimed.load(std::memory_order_relaxed);
    while (claimed < process_.board.allowed.load(std::memory_order_relaxed))
      if (process_.board.claimed.compare_exchange_weak(claimed, claimed + 1, std::memory_order_relaxed))
        return true;
    return false;
  }

  bool send() {
    const uint64_t first = load_number(process_.who, next_);
    const uint32_t count = atomic_submit(process_.options, first).jobs;
    next_ += count;
    std::vector<LoadJob> jobs;
    std::vector<SubmitRequest> requests;
    const int64_t now_ms = unix_ms();
    for (uint32_t i = 0; i < count; ++i) jobs.push_back(load_job(process_.options, first + i));
    for (uint32_t i = 0; i < count; ++i) {
      requests.push_back(jobs[i].request(process_.options, now_ms));
      if (!note({.number = first + i, .content = jobs[i].content, .kind = Deed::Kind::kSubmits}))
        return false;
    }
    std::vector<Ticket> tickets;
    if (count == 1) {
      const auto ticket = client_.submit(requests.front());
      if (!ticket) return failed("submit", ticket.error());
      tickets.push_back(*ticket);
    } else {
      auto all = client_.submit_many(requests);
      if (!all) return failed("submit_many", all.error());
      tickets = std::move(*all);
    }
    for (uint32_t i = 0; i < count; ++i) {
      open_.push_back({tickets[i], first + i});
      if (!note({.number = first + i, .id = tickets[i].id, .kind = Deed::Kind::kSent})) return false;
    }
    return note_reconnects();
  }

  bool decide() {
    const auto outcome = client_.wait(open_.front().ticket, kDecided);
    if (!note_reconnects()) return false;
    // One in memory only that may run once at most is not sent again.
    const bool unknown = !outcome && outcome.error().error == Error::kUnknownOutcome;
    if (unknown && open_.front().ticket.durability == Durability::kMemory) {
      open_.pop_front();
      return true;
    }
    // In a full queue not every kind of job may wait; nothing else of a load is to be refused.
    const bool full = !outcome && outcome.error().error == Error::kQueueFull;
    if (!outcome && !full) return failed("wait", outcome.error());
    Deed deed{.number = open_.front().number, .id = open_.front().ticket.id, .kind = Deed::Kind::kDecided};
    deed.outcome = full ? Deed::Outcome::kRefused : Deed::Outcome::kOk;
    if (!full && outcome->duplicate) deed.first = outcome->id;
    if (!full) process_.board.acknowledged.fetch_add(1, std::memory_order_relaxed);
    open_.pop_front();
    return note(deed);
  }

  // What was undecided went out once more, in the session after the one that it was sent in.
  bool note_reconnects() {
    if (client_.counters().reconnects == reconnects_) return true;
    reconnects_ = client_.counters().reconnects;
    return std::ranges::all_of(open_, [this](const Open& open) {
      return note({.number = open.number, .id = open.ticket.id, .kind = Deed::Kind::kAgain});
    });
  }

  bool stay_alive() {
    std::this_thread::sleep_for(kLookEvery);
    const auto alive = client_.process();
    return alive ? note_reconnects() : failed("process", alive.error());
  }

  std::deque<Open> open_;
  uint32_t next_ = 0;
  uint64_t reconnects_ = 0;
};

}  // namespace

int produce(const Forked::Say& say, const LoadProcess& process) {
  return run_role<Producer>("producer", say, process);
}

}  // namespace pqd::test
