// Jobs that may not start yet, over real processes and a real clock.
#include <chrono>

#include "bindings/cpp/client.h"
#include "tests/e2e/with_pqctl.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

class DelayE2e : public WithPqctl {
 protected:
  static JobId submit(Client& client, int64_t not_before_ms) {
    const auto ticket = client.submit({.type = "t", .not_before_ms = not_before_ms});
    EXPECT_TRUE(ticket && client.wait(*ticket, kWatchdog));
    return ticket ? ticket->id : JobId();
  }
};

TEST_F(DelayE2e, JobIsNotHandedOutBeforeItsTimeAlsoOverTheEnginesDeath) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  const std::string far = first_line(output({"submit", "t", "--delay", "1h"}));
  const int64_t soon_ms = unix_ms() + 1'500;
  const JobId soon = submit(*client, soon_ms);
  const JobId ready = submit(*client, 0);
  daemon_.kill_engine();
  ASSERT_TRUE(client->subscribe({.credits = 10}));
  const auto first = client->next(kWatchdog);
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->id(), ready) << "submitted last";
  const auto second = client->next(kWatchdog);
  ASSERT_TRUE(second && *second);
  EXPECT_EQ((*second)->id(), soon);
  EXPECT_GE(unix_ms(), soon_ms);
  EXPECT_TRUE(has(job(far), "\"status\":\"pending\"")) << job(far);
  EXPECT_TRUE(has(job(far), "\"startAfter\":")) << job(far);
  EXPECT_TRUE(has(output({"queue", "show", "default", "-o", "jsonl"}), "\"scheduled\":1,"));
}

}  // namespace
}  // namespace pqd::test
