// `pqctl bench`: what it tells, within which limits, and that none of its jobs is left.
#include <signal.h>
#include <unistd.h>

#include <boost/json.hpp>

#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

namespace json = boost::json;

class BenchE2e : public WithPqctl {
 protected:
  using WithPqctl::WithPqctl;

  // A short one; it must end with 0 and say what `parts` are, on stderr.
  json::object bench(const std::vector<std::string>& parts = {}, const std::string& seconds = "0.5") {
    const Ran ran = pqctl({"bench", "--seconds", seconds, "-o", "jsonl"});
    EXPECT_EQ(ran.exit, 0) << ran.err;
    for (const std::string& part : parts) EXPECT_TRUE(has(ran.err, part)) << ran.err;
    EXPECT_EQ(ran.err.empty(), parts.empty()) << ran.err;
    return json::parse(ran.out).as_object();
  }
  static uint64_t jobs(const json::object& told, const char* measurement) {
    return told.at(measurement).at("jobs").to_number<uint64_t>();
  }
  size_t job_count_of_bench() {
    const Ran ran = pqctl({"ls", "--queue", "pqctl-bench", "--limit", "1", "-o", "jsonl"});
    return line_count(ran.out);
  }
  void leaves_nothing() {
    EXPECT_EQ(
        output({"ls", "--queue", "pqctl-bench", "--state", "pending,assigned,processing", "-o", "jsonl"}),
        "");
    EXPECT_EQ(output({"dlq", "ls", "-o", "jsonl"}), "");
  }
  static std::string limit_of_ours(int rate) {
    return "[limits.user_rates]\n\"" + std::to_string(::getuid()) + "\" = " + std::to_string(rate) + "\n";
  }
};

TEST_F(BenchE2e, TellsRatesAndPercentilesAndLeavesNoJob) {
  const json::object told = bench();
  for (const char* measurement : {"acknowledgement", "submit", "life"}) {
    EXPECT_GT(jobs(told, measurement), 0u) << measurement;
    EXPECT_GT(told.at(measurement).at("perSecond").to_number<double>(), 0) << measurement;
  }
  for (const char* measurement : {"acknowledgement", "life"}) {
    const json::object& latency = told.at(measurement).at("latencyMs").as_object();
    EXPECT_GT(latency.at("p50").to_number<double>(), 0);
    EXPECT_LE(latency.at("p50").to_number<double>(), latency.at("p99").to_number<double>());
    EXPECT_LE(latency.at("p99.9").to_number<double>(), latency.at("max").to_number<double>());
  }
  leaves_nothing();
}

TEST_F(BenchE2e, SaysThatWholeLivesAreBoundByWhatTheQueueLetsInHand) {
  const Ran bound = pqctl({"bench", "--seconds", "0.05", "--durability", "memory"});
  EXPECT_TRUE(has(bound.err, "whole lives are bound by max_active: 10 jobs")) << bound.err;
  EXPECT_TRUE(has(bound.err, "pqctl queue set pqctl-bench max_active=0")) << bound.err;
  EXPECT_EQ(bench().at("life").at("maxActive").to_number<int>(), 10);
  output({"queue", "set", "pqctl-bench", "max_active=0"});
  EXPECT_EQ(pqctl({"bench", "--seconds", "0.05", "--durability", "memory"}).err, "");
  EXPECT_FALSE(bench().at("life").as_object().contains("maxActive"));
}

TEST_F(BenchE2e, SubmitsByAsManyAsItIsToldTo) {
  const std::string table =
      output({"bench", "--seconds", "0.05", "--producers", "3", "--durability", "memory"});
  EXPECT_EQ(line_count(table), 4u) << table;
  EXPECT_TRUE(has(table, "one at a time") && has(table, "whole lives")) << table;
  leaves_nothing();
}

TEST_F(BenchE2e, TakesAwayWhatARunThatWasKilledHasLeft) {
  const std::string id =
      first_line(output({"submit", "pqctl-bench", "x", "--queue", "pqctl-bench", "--ttl", "0"}));
  bench();
  EXPECT_TRUE(has(job(id), "\"status\":\"completed\"")) << job(id);
}

TEST_F(BenchE2e, LeavesOtherJobsOfItsQueueAlone) {
  const std::string id = first_line(output({"submit", "other", "x", "--queue", "pqctl-bench", "--ttl", "0"}));
  bench();
  EXPECT_TRUE(has(job(id), "\"status\":\"pending\"")) << job(id);
}

TEST_F(BenchE2e, CancelsItsJobsWhereNobodyIsGivenAny) {
  output({"submit", "other", "x", "--queue", "pqctl-bench", "--ttl", "0"});
  output({"queue", "pause", "pqctl-bench"});
  const json::object told = bench();
  EXPECT_GT(jobs(told, "submit"), 0u);
  EXPECT_EQ(jobs(told, "life"), 0u);
  EXPECT_EQ(line_count(output({"ls", "--queue", "pqctl-bench", "--state", "pending", "-o", "jsonl"})), 1u);
}

TEST_F(BenchE2e, EndsAtCtrlCWithWhatItHasAndLeavesNoJob) {
  Program bench(pqctl_words({"bench", "--seconds", "3600"}), {daemon_.socket_variable()});
  ASSERT_TRUE(eventually([this] { return job_count_of_bench() > 0; }));
  bench.signal(SIGINT);
  EXPECT_EQ(bench.wait(), 128 + SIGINT) << bench.err();
  EXPECT_TRUE(has(bench.out(), "one at a time")) << bench.out();
  leaves_nothing();
}

TEST_F(BenchE2e, RefusesWhatCannotBeMeasured) {
  refused({"bench", "--bytes", "3"}, 64, {"--bytes"});
  refused({"bench", "--durability", "paper"}, 64, {"fsync, os or memory"});
  refused({"bench", "--queue", "no name"}, 65, {"queue"});
  daemon_.stop();
  refused({"bench"}, 69, {"UNAVAILABLE"});
}

class BenchWithinALimit : public BenchE2e {
 protected:
  BenchWithinALimit() : BenchE2e(limit_of_ours(5)) {}
};

TEST_F(BenchWithinALimit, TellsTheLimitAndIsNoFailureUnlessNothingIsLeftOfIt) {
  // Each measurement ends at the limit, long before its time.
  const json::object told = bench({"RATE_LIMIT_EXCEEDED"}, "60");
  EXPECT_GE(jobs(told, "acknowledgement"), 5u);
  EXPECT_TRUE(told.at("acknowledgement").as_object().contains("limitedBy"));
  leaves_nothing();
  const Ran again = pqctl({"bench", "--seconds", "60"});
  EXPECT_TRUE(again.exit == 75 || (again.exit == 0 && has(again.out, "one at a time   1 ")))
      << again.out << again.err;
  EXPECT_TRUE(has(again.err, "RATE_LIMIT_EXCEEDED")) << again.err;
  leaves_nothing();
}

class BenchInASmallQueue : public BenchE2e {
 protected:
  BenchInASmallQueue() : BenchE2e("[queues.defaults]\nmax_depth = 4\n") {}
};

TEST_F(BenchInASmallQueue, KeepsWithinItsDepth) {
  const json::object told = bench();
  for (const char* measurement : {"acknowledgement", "submit", "life"})
    EXPECT_GT(jobs(told, measurement), 0u);
  leaves_nothing();
}

}  // namespace
}  // namespace pqd::test
