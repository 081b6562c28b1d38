// The limit of submits per user over real processes: what is said, what it outlives, whom it does not
// concern.
#include "tests/e2e/with_pqctl.h"

namespace pqd::test {
namespace {

class RateLimitE2e : public WithPqctl {
 protected:
  RateLimitE2e() : WithPqctl("[limits]\nrate_limit = 3\n") {}

  void submit_as(const std::string& subject) { output({"submit", "t", "x", "--subject", subject}); }
  void refused_as(const std::string& subject) {
    refused({"submit", "t", "x", "--subject", subject}, 75, {"RATE_LIMIT_EXCEEDED"});
  }
};

TEST_F(RateLimitE2e, HoldsEachEndUserToItsOwnOverTheDeathsOfTheDaemon) {
  for (int i = 0; i < 3; ++i) submit_as("ann");
  refused_as("ann");
  submit_as("bob");
  daemon_.kill_engine();
  refused_as("ann");
  daemon_.kill();
  ASSERT_TRUE(daemon_.start());
  refused_as("ann");
  submit_as("bob");
  EXPECT_EQ(job_count(), 5u);
}

TEST_F(RateLimitE2e, DoesNotConcernTheDaemonsOwnUser) {
  std::string lines;
  for (int i = 0; i < 100; ++i) lines += "{\"type\":\"t\"}\n";
  output({"submit", "--ndjson", "-"}, lines);
  EXPECT_EQ(job_count(), 100u);
}

}  // namespace
}  // namespace pqd::test
