#include "daemon/supervisor/session_counter.h"

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "tests/daemon/supervisor/fixtures.h"

namespace pqd::supervisor_test {
namespace {

TEST(SessionCounter, BeginsAtOneAndSkipsWhatACrashedOneHadReserved) {
  TempDir directory;
  auto first = SessionCounter::open(directory.path());
  ASSERT_TRUE(first) << first.error().text;
  EXPECT_EQ(first->first(), 1u);
  EXPECT_EQ(first->next(), 1u);
  EXPECT_EQ(first->next(), 2u);
  auto second = SessionCounter::open(directory.path());
  ASSERT_TRUE(second);
  EXPECT_EQ(second->first(), 1 + SessionCounter::kBlock);
  EXPECT_EQ(second->next(), 1 + SessionCounter::kBlock);
}

TEST(SessionCounter, ReservesAnotherBlockWhenOneIsUsedUp) {
  TempDir directory;
  auto counter = SessionCounter::open(directory.path());
  ASSERT_TRUE(counter);
  for (uint64_t i = 1; i <= 3 * SessionCounter::kBlock + 1; ++i) ASSERT_EQ(counter->next(), i);
  auto next = SessionCounter::open(directory.path());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->first(), 1 + 4 * SessionCounter::kBlock);
}

TEST(SessionCounter, LeavesOutTheNumberWhoseTagIsTheSchedules) {
  TempDir directory;
  struct {
    uint64_t magic, unreserved, hash;
  } file{0x31'53'53'45'53'44'51'50, 0xFFFF'FFFF, 0xcbf29ce484222325};
  const auto* bytes = reinterpret_cast<const unsigned char*>(&file);
  for (size_t i = 0; i < 16; ++i) file.hash = (file.hash ^ bytes[i]) * 0x100000001b3;
  std::ofstream(directory.path("sessions"), std::ios::binary)
      .write(reinterpret_cast<const char*>(&file), sizeof file);
  auto counter = SessionCounter::open(directory.path());
  ASSERT_TRUE(counter) << counter.error().text;
  EXPECT_EQ(counter->next(), 0xFFFF'FFFFu);
  EXPECT_EQ(counter->next(), 0x1'0000'0001u);
}

TEST(SessionCounter, CostsNoNumberToOpen) {
  TempDir directory;
  for (int i = 0; i < 3; ++i) {
    auto counter = SessionCounter::open(directory.path());
    ASSERT_TRUE(counter);
    EXPECT_EQ(counter->first(), 1u);
  }
}

TEST(SessionCounter, RefusesADamagedFile) {
  for (const size_t at : {0u, 8u, 16u, 23u}) {
    TempDir directory;
    ASSERT_TRUE(SessionCounter::open(directory.path()));
    std::string bytes = read_text(directory.path("sessions"));
    bytes[at] = static_cast<char>(bytes[at] ^ 1);
    write_text(directory.path("sessions"), bytes);
    const auto counter = SessionCounter::open(directory.path());
    ASSERT_FALSE(counter) << at;
    EXPECT_EQ(counter.error().exit_status, kExitConfig);
  }
  TempDir directory;
  write_text(directory.path("sessions"), "short");
  EXPECT_FALSE(SessionCounter::open(directory.path()));
}

TEST(SessionCounter, GoesOnFarAboveWhatWasEverGivenWhenItsFileIsLost) {
  TempDir directory;
  std::filesystem::create_directory(directory.path("store"));
  auto counter = SessionCounter::open(directory.path());
  ASSERT_TRUE(counter);
  EXPECT_GT(counter->first(), 1'600'000'000'000u);
}

TEST(SessionCounter, RepeatsNoNumberOverKilledSupervisors) {
  TempDir directory;
  std::set<uint64_t> numbers;
  for (int life = 0; life < 3; ++life) {
    RunningSupervisor supervisor(options_in(directory));
    ASSERT_TRUE(supervisor.wait_ready()) << supervisor.log();
    for (int i = 0; i < 5; ++i) {
      const auto client = TestClient::open(directory.path("pqd.sock"));
      ASSERT_TRUE(client);
      EXPECT_TRUE(numbers.insert(client->welcome().session).second);
    }
    supervisor.signal(SIGKILL);
    EXPECT_EQ(supervisor.wait(), 128 + SIGKILL);
  }
  EXPECT_EQ(numbers.size(), 15u);
}

}  // namespace
}  // namespace pqd::supervisor_test
