// Fair turns over real processes: from the configuration to what a consumer is given.
#include <algorithm>

#include "bindings/cpp/client.h"
#include "tests/support/daemon.h"

namespace pqd::test {
namespace {

using namespace std::chrono_literals;

constexpr const char* kConfig = R"(
[queue.default]
max_active = 0
starvation_guard = 0
fair = "user"
[queue.default.user_weights]
"root/ann" = 2
)";

class FairE2e : public WithDaemon {
 protected:
  FairE2e() : WithDaemon(kConfig) {}

  void submit_as(Client& client, std::string_view subject, int count) {
    for (int i = 0; i < count; ++i) {
      const auto ticket = client.submit({.type = "t", .payload = as_bytes(subject), .subject = subject});
      ASSERT_TRUE(ticket) << ticket.error().text;
      ASSERT_TRUE(client.wait(*ticket, 10s));
    }
  }
};

TEST_F(FairE2e, EndUsersTakeTurnsByTheWeightsOfTheConfiguration) {
  auto client = Client::connect({.socket = daemon_.socket()});
  ASSERT_TRUE(client) << client.error().text;
  submit_as(*client, "ann", 12);
  submit_as(*client, "bob", 6);
  ASSERT_TRUE(client->subscribe({.types = {"t"}, .credits = 1}));
  std::string order;
  for (int i = 0; i < 12; ++i) {
    auto job = client->next(10s);
    ASSERT_TRUE(job && *job);
    order += as_text((*job)->payload()).front();
    ASSERT_TRUE(client->complete(**job, {}));
  }
  EXPECT_EQ(std::count(order.begin(), order.end(), 'a'), 8) << order;
  EXPECT_EQ(std::count(order.begin(), order.end(), 'b'), 4) << order;
}

}  // namespace
}  // namespace pqd::test
