// Random clients over the real broker: whatever they do, the invariants hold, replay agrees (both the
// driver's work), and the promises of a job's life are kept. A seed that fails is printed; it stays as a
// case.
#include <map>
#include <random>
#include <set>

#include "tests/core/driver.h"

namespace pqd::test {
namespace {

class RandomLife {
 public:
  explicit RandomLife(uint64_t seed) : random_(seed), d_(options(seed)) {
    admin_ = d_.open(kAdminUid);
    for (int i = 0; i < 3; ++i) sessions_.push_back(d_.open());
  }

  void step() {
    switch (below(16)) {
      case 0:
      case 1:
      case 2:
      case 3:
        return remember(d_.submit(any_session(), random_spec()));
      case 4:
        return submit_batch();
      case 5:
        return subscribe(any_session());
      case 6:
      case 7:
      case 8:
      case 9:
        return settle();
      case 10:
        return d_.advance_ms(static_cast<int64_t>(below(3'000)));
      case 11:
        return end_session();
      case 12:
        return cancel();
      case 13:
        return control_queue();
      case 14:
        return redrive();
      default:
        return below(4) == 0 ? d_.checkpoint() : d_.idle();
    }
  }

  // Faults stop: everything that lives comes to an end.
  void finish_all() {
    for (const char* queue : {"default", "other"})
      d_.command(admin_, write_queue_control(QueueAction::kResume, queue));
    const SessionNo worker = d_.open();
    d_.subscribe(worker, 50, {}, "default", 1);
    d_.subscribe(worker, 50, {}, "other", 2);
    sessions_.push_back(worker);
    for (int turns = 0; live_jobs() > 0; ++turns) {
      ASSERT_LT(turns, 5'000) << "a job never ends";
      collect();
      for (const auto& [session, job] : std::exchange(held_, {})) finish(session, job, RecordKind::kComplete);
      d_.advance_ms(500);
    }
  }

 private:
  static BrokerOptions options(uint64_t seed) {
    BrokerOptions options;
    options.defaults = {
        .max_depth = 12, .admission_timeout_ms = 2'000, .max_active = 6, .starvation_guard = 4, .batch_size = 3};
    options.queues["other"] = options.defaults;
    options.queues["other"].fair = static_cast<Fairness>(seed % 3);
    options.weights["other"] = {{{"1000", 2}}, {{"k", 3}}};
    return options;
  }
  uint64_t below(uint64_t bound) { return random_() % bound; }
  SessionNo any_session() { return sessions_[below(sessions_.size())]; }
  void remember(const JobId& id) { ids_.push_back(id); }

  JobSpec random_spec() {
    JobSpec spec;
    spec.queue = below(4) == 0 ? "other" : "default";
    spec.type = below(2) == 0 ? "a" : "b";
    spec.payload.assign(below(100), 'x');
    spec.mode = static_cast<Mode>(below(3));
    spec.priority = static_cast<uint8_t>(1 + below(20));
    spec.delivery = below(4) == 0 ? Delivery::kAtMostOnce : Delivery::kAtLeastOnce;
    if (below(4) == 0) spec.durability = Durability::kMemory;
    spec.max_attempts = static_cast<uint16_t>(1 + below(3));
    spec.delay_ms = below(3) == 0 ? static_cast<int64_t>(below(2'000)) : 0;
    spec.queue_timeout_ms = below(3) == 0 ? 1'500 : 0;
    spec.processing_timeout_ms = 1'000;
    spec.backoff_first_ms = 100;
    spec.flags = below(2) == 0 ? kFlagBackoffJitter : uint16_t{0};
    if (below(4) == 0) spec.idempotency_key = std::string(1, static_cast<char>('a' + below(20)));
    if (below(3) == 0) spec.ordering_key = std::string(1, static_cast<char>('k' + below(3)));
    return spec;
  }

  void submit_batch() {
    std::vector<JobSpec> specs(1 + below(4), random_spec());
    for (const JobId& id : d_.submit_batch(any_session(), specs)) remember(id);
  }

  void subscribe(SessionNo session) {
    const auto number = static_cast<uint32_t>(below(3));
    if (below(5) == 0) {
      d_.command(session, write_unsubscribe(number));
      return;
    }
    std::vector<std::string_view> types;
    if (below(2) == 0) types = {"a"};
    if (below(3) == 0) types = {"a", "b"};
    d_.subscribe(session, 1 + static_cast<uint32_t>(below(4)), types, below(3) == 0 ? "other" : "default",
                 number);
  }

  void collect() {
    for (const SessionNo session : sessions_) {
      for (const Delivered& job : d_.take(session)) delivered(session, job);
    }
  }
  void delivered(SessionNo session, const Delivered& job) {
    const JobCore core = d_.core(job.id);
    EXPECT_FALSE(completed_.contains(job.id)) << "delivered after its completion";
    EXPECT_LE(core.attempts, core.max_attempts);
    if (job.after_sync) {
      // One delivery a life; a redrive is a new one, with a new number.
      EXPECT_TRUE(at_most_once_.insert(job.token.job).second || resumed_.contains(job.token.job));
    }
    held_.emplace_back(session, job);
  }

  void settle() {
    collect();
    if (held_.empty()) return;
    const size_t at = below(held_.size());
    const auto [session, job] = held_[at];
    constexpr RecordKind kKinds[] = {RecordKind::kStart, RecordKind::kComplete, RecordKind::kComplete,
                                     RecordKind::kFail,  RecordKind::kRelease,  RecordKind::kExtend};
    const RecordKind kind = kKinds[below(std::size(kKinds))];
    if (kind != RecordKind::kStart && kind != RecordKind::kExtend)
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(at));
    finish(session, job, kind);
  }
  void finish(SessionNo session, const Delivered& job, RecordKind kind) {
    const bool asked_to_stop = d_.core(job.id).cancel_requested;
    const Error error = d_.settle(session, kind, job, {});
    if (kind == RecordKind::kComplete && error == Error::kOk && !asked_to_stop) completed_.insert(job.id);
  }

  void end_session() {
    collect();
    if (below(3) != 0) return;
    const size_t at = below(sessions_.size());
    const SessionNo from = sessions_[at];
    const SessionNo to = d_.open();
    sessions_[at] = to;
    const uint64_t seen = below(3);
    const bool resumes = below(2) == 0;
    if (resumes) {
      for (const auto& [session, job] : held_) {
        if (session == from) resumed_.insert(job.token.job);
      }
      d_.turn([&](CommitBuilder&) {
        EXPECT_TRUE(d_.broker.resume_session(from, to, Driver::secret_of(from), seen));
      });
    } else {
      d_.close(from);
    }
    std::erase_if(held_, [&](const auto& entry) { return entry.first == from; });
    resubmit_some(to);
  }
  void resubmit_some(SessionNo session) {
    for (size_t i = 0; i < 3 && !ids_.empty(); ++i) {
      JobSpec spec = random_spec();
      spec.flags = kFlagResubmitted;
      d_.submit_as(session, ids_[below(ids_.size())], spec);
    }
  }

  void cancel() {
    if (!ids_.empty()) d_.command(any_session(), write_cancel(ids_[below(ids_.size())], below(2) == 0));
  }
  void control_queue() {
    const auto action = static_cast<QueueAction>(1 + below(3));
    d_.command(admin_, write_queue_control(below(3) == 0 ? action : QueueAction::kResume, "default"));
  }
  void redrive() {
    if (ids_.empty()) return;
    const JobId id = ids_[below(ids_.size())];
    if (below(4) == 0) d_.command(admin_, write_review(id, "looked into"));
    d_.command(admin_, below(3) == 0 ? write_purge(id) : write_redrive(id));
    d_.store.rows.erase(d_.state.jobs.find(id) != kNoSlot ? id : JobId{});
  }

  size_t live_jobs() const {
    size_t live = 0;
    d_.state.jobs.for_each([&](Slot slot) { live += is_finished(d_.state.jobs[slot].state) ? 0u : 1u; });
    return live;
  }

  std::mt19937_64 random_;
  Driver d_;
  SessionNo admin_ = 0;
  std::vector<SessionNo> sessions_;
  std::vector<JobId> ids_;
  std::vector<std::pair<SessionNo, Delivered>> held_;
  std::set<JobId> completed_;
  std::set<JobNo> at_most_once_, resumed_;
};

class RandomClients : public ::testing::TestWithParam<uint64_t> {};

TEST_P(RandomClients, KeepEveryPromise) {
  RandomLife life(GetParam());
  for (int i = 0; i < 250 && !::testing::Test::HasFailure(); ++i) life.step();
  life.finish_all();
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomClients, ::testing::Range<uint64_t>(1, 21));

}  // namespace
}  // namespace pqd::test
