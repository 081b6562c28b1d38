// What an idle daemon costs, in CPU time and not in wall time.
#include <unistd.h>

#include <sstream>
#include <thread>

#include "bindings/cpp/client.h"
#include "tests/support/daemon.h"

namespace pqd::test {
namespace {

// User and system time in clock ticks (10 ms), from /proc/PID/stat.
long cpu_ticks(pid_t pid) {
  std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
  std::istringstream fields(stat.substr(stat.rfind(')') + 2));
  std::string field;
  long ticks = 0;
  for (int i = 3; fields >> field && i <= 15; ++i)
    if (i == 14 || i == 15) ticks += std::stol(field);
  return ticks;
}

// With an engine that never looks for work, and one that looks for as long as it may.
class IdleTest : public WithDaemon, public testing::WithParamInterface<const char*> {
 protected:
  IdleTest() : WithDaemon(std::string("[engine]\nspin_us = ") + GetParam() + "\n") {}
};

TEST_P(IdleTest, FiftyIdleClientsCostNoMeasurableCpu) {
  std::vector<Client> clients;
  for (int i = 0; i < 50; ++i) {
    auto client = Client::connect({.socket = daemon_.socket()});
    ASSERT_TRUE(client.has_value()) << client.error().text;
    ASSERT_TRUE(client->subscribe({.types = {"nothing"}}).has_value());
    clients.push_back(std::move(*client));
  }
  const pid_t engine = daemon_.engine();
  // What was still to be done (a checkpoint of the sessions) is over once a quarter of a second costs
  // nothing.
  long before = -1;
  while (before != cpu_ticks(engine) + cpu_ticks(daemon_.pid())) {
    before = cpu_ticks(engine) + cpu_ticks(daemon_.pid());
    std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  }
  // The span that is measured; nothing is hoped for.
  std::this_thread::sleep_for(std::chrono::seconds(5));
  const long after = cpu_ticks(engine) + cpu_ticks(daemon_.pid());
  EXPECT_LE(after - before, 1) << "ticks of 10 ms in 5 s, both processes together";
}

INSTANTIATE_TEST_SUITE_P(SpinUs, IdleTest, testing::Values("0", "1000"));

}  // namespace
}  // namespace pqd::test
