// A daemon with two partitions, over real processes: both are served, die and come back together, and look
// like one; and what does not fit is refused by name.
#include <algorithm>
#include <filesystem>

#include "bindings/cpp/client_session.h"
#include "core/partition.h"
#include "core/submit_record.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"
#include "tests/support/load/load_history.h"

namespace pqd::test {
namespace {

constexpr uint32_t kCount = 2;
constexpr const char* kTwo = "[engine]\npartitions = 2\n[daemon]\nengine_backoff_max = \"10ms\"\n";

std::string queue_in(PartitionNo partition, const std::string& stem = "q") {
  for (int i = 0;; ++i)
    if (const std::string name = stem + std::to_string(i); partition_of(name, kCount) == partition)
      return name;
}

class PartitionsE2e : public WithPqctl {
 protected:
  explicit PartitionsE2e(const std::string& config = kTwo) : WithPqctl(config) {}

  std::string submit(PartitionNo partition) {
    return first_line(output({"submit", "t", "x", "--queue", queue_in(partition)}));
  }
  std::string state() const { return daemon_.directory() + "/state"; }
};

TEST_F(PartitionsE2e, KeepJobsOfBothOverEveryDeath) {
  const std::vector<std::string> ids{submit(0), submit(1), submit(0), submit(1)};
  for (size_t i = 0; i < ids.size(); ++i)
    EXPECT_EQ(partition_of_tag(JobId::parse(ids[i])->tag(), kCount), i % 2) << "an id leads to its partition";
  daemon_.kill_engine();
  EXPECT_EQ(job_count(), 4u);
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  EXPECT_EQ(job_count(), 4u);
  daemon_.stop();
  ASSERT_TRUE(daemon_.start());
  for (const std::string& id : ids) EXPECT_TRUE(has(job(id), "\"status\":\"pending\"")) << id;
  EXPECT_EQ(submit(0) > ids[2], submit(1) > ids[3]) << "and go on";
}

TEST_F(PartitionsE2e, MakeScheduledRunsInTheirOwnWhoseIdsLeadThere) {
  for (const PartitionNo partition : {PartitionNo{0}, PartitionNo{1}}) {
    const std::string queue = queue_in(partition);
    output({"cron", "add", "tick" + queue, "@every 1s", "t", "x", "--queue", queue});
    std::string found;
    ASSERT_TRUE(eventually([&] {
      found = output({"ls", "--queue", queue, "-o", "jsonl"});
      return !found.empty();
    }));
    const std::string key = "\"requestId\":\"";
    const std::string id = found.substr(found.find(key) + key.size(), 36);
    EXPECT_EQ(JobId::parse(id)->tag(), make_tag(0, partition, kCount));
    EXPECT_TRUE(has(job(id), "\"queue\":\"" + queue + "\"")) << job(id);
  }
}

TEST_F(PartitionsE2e, AreAsManyAsTheStoreWasMadeWithOrTheDaemonEndsWith78) {
  submit(0);
  daemon_.stop();
  for (const char* other : {"1", "3"}) {
    daemon_.configure(std::string("[engine]\npartitions = ") + other + "\n");
    EXPECT_FALSE(daemon_.start());
    EXPECT_EQ(daemon_.exit(), 78);
    EXPECT_TRUE(has(daemon_.log(),
                    std::string("[engine] partitions = ") + other +
                        ", but the store was made with 2, which cannot be changed: set partitions = 2"))
        << daemon_.log();
  }
  daemon_.configure(kTwo);
  ASSERT_TRUE(daemon_.start());
  EXPECT_EQ(job_count(), 1u);
}

TEST_F(PartitionsE2e, AreCheckedBackedUpAndRestoredTogether) {
  const std::vector<std::string> ids{submit(0), submit(1)};
  const TempDir elsewhere;
  const std::string kept = elsewhere.path("kept");
  const std::string said = output({"store", "backup", kept});
  EXPECT_TRUE(has(said, "in 2 partitions") && has(said, "2 live jobs")) << said;
  daemon_.stop();
  EXPECT_TRUE(has(output({"store", "check", state()}), "whole: " + state() + "\n"));
  std::filesystem::remove_all(state());
  std::filesystem::copy(kept, state(), std::filesystem::copy_options::recursive);
  ASSERT_TRUE(daemon_.start());
  for (const std::string& id : ids) EXPECT_TRUE(has(job(id), "\"status\":\"pending\"")) << id;
}

// Of a library from before there were partitions.
class OldClient : public PartitionsE2e {
 protected:
  void SetUp() override {
    PartitionsE2e::SetUp();
    Hello hello;
    hello.features = kFeatureResume | kFeatureRenewal;
    auto opened =
        ClientSession::open(daemon_.socket(), hello, Deadline::in(std::chrono::milliseconds(kWatchdog)));
    ASSERT_TRUE(opened) << opened.error().text;
    session_ = std::move(*opened);
  }
  // What it is told about a submit into that queue; kOk = nothing but that it is done.
  Error told_of_submit(const std::string& queue) {
    SubmitView view;
    view.head.id = session_->next_id(Lane::kNormal);
    view.queue = queue;
    view.type = "t";
    Bytes record(submit_record_bytes(view));
    write_submit_record(view, record);
    RingWriter& writer = session_->writer(Lane::kNormal);
    const auto room = writer.reserve(static_cast<uint32_t>(record.size()));
    EXPECT_FALSE(room.empty());
    std::ranges::copy(record, room.begin());
    writer.commit(static_cast<uint32_t>(record.size()));
    writer.publish();
    session_->bell.ring_if_sleeping();
    ++sent_;
    EXPECT_TRUE(
        eventually([&] { return load_watermarks(session_->down.lane(Lane::kNormal)).synced >= sent_; }));
    const auto receipt = session_->receipts.next();
    return receipt ? static_cast<Error>(receipt->code) : Error::kOk;
  }

  std::unique_ptr<ClientSession> session_;
  uint64_t sent_ = 0;
};

TEST_F(OldClient, IsServedInTheFirstPartitionAndRefusedForQueuesOfOthers) {
  EXPECT_EQ(session_->welcome.partition, 0u);
  EXPECT_EQ(told_of_submit(queue_in(0)), Error::kOk);
  EXPECT_EQ(told_of_submit(queue_in(1)), Error::kInvalidRequest);
  EXPECT_EQ(told_of_submit(queue_in(1)), Error::kInvalidRequest);
  EXPECT_EQ(told_of_submit(queue_in(0)), Error::kOk);
  EXPECT_EQ(job_count(), 2u);
  const std::string log = daemon_.log();
  const std::string line = "the client's library is too old to know of any";
  ASSERT_TRUE(has(log, line)) << log;
  EXPECT_FALSE(has(log.substr(log.find(line) + line.size()), line)) << "once a session is enough";
}

class LimitedPartitions : public PartitionsE2e {
 protected:
  LimitedPartitions() : PartitionsE2e(std::string(kTwo) + "[limits]\nrate_limit = 3\n") {}

  std::vector<std::string> words(PartitionNo partition) {
    return {"submit", "t", "x", "--subject", "ann", "--queue", queue_in(partition)};
  }
  void refused_in_both() {
    for (const PartitionNo partition : {PartitionNo{0}, PartitionNo{1}})
      refused(words(partition), 75, {"RATE_LIMIT_EXCEEDED", "try again in "});
  }
};

TEST_F(LimitedPartitions, HoldAUserToOneRateOverBothAndOverTheirDeaths) {
  output(words(0));
  output(words(1));
  output(words(1));
  refused_in_both();
  daemon_.kill_engine();
  refused_in_both();
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  refused_in_both();
}

class PartitionsUnderLoad : public WithDaemon {
 protected:
  PartitionsUnderLoad() : WithDaemon(std::string(kLoadConfig) + "[engine]\npartitions = 2\n") {}

  LoadOptions options(PartitionNo partition) {
    LoadOptions options;
    options.queue = queue_in(partition, "load");
    options.partitions = kCount;
    return options;
  }
};

TEST_F(PartitionsUnderLoad, LoseNothingInEitherWhateverDies) {
  Load first(daemon_.socket(), options(0));
  Load second(daemon_.socket(), options(1));
  constexpr unsigned kDeaths = 6;
  for (unsigned i = 0; i < kDeaths; ++i) {
    ASSERT_TRUE(first.handles(20) && second.handles(20)) << "after " << i << " deaths";
    if (i % 3 == 0) {
      daemon_.kill_engine();
    } else {
      i % 3 == 1 ? daemon_.kill() : daemon_.stop();
      ASSERT_TRUE(daemon_.start());
    }
  }
  for (Load* load : {&first, &second}) {
    ASSERT_EQ(load->finish(), "");
    const LoadJudgement judged = judge(*load);
    EXPECT_EQ(judged.broken, std::vector<std::string>());
    EXPECT_EQ(judged.figures.completed, judged.figures.acknowledged);
    EXPECT_GT(judged.figures.acknowledged, kDeaths * 20u);
  }
}

}  // namespace
}  // namespace pqd::test
