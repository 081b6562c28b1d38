// Every crash point is reached under load and ends its process there, and nothing is lost by it.
#include <gtest/gtest.h>

#include <filesystem>
#include <random>
#include <regex>
#include <set>

#include "tests/crash/crash_board.h"
#include "tests/crash/cycles.h"
#include "tests/support/daemon.h"
#include "tests/support/descriptor_keeper.h"
#include "tests/support/eventually.h"

namespace pqd::test {
namespace {

constexpr size_t kPointsALoad = 20;  // then it is judged
constexpr int32_t kTimesMax = 3;     // the point is met so often at most before it ends a process
constexpr int kProvocations = 40;
constexpr std::chrono::milliseconds kPatience{150};  // until something is done that leads to the rarer points

class CrashPoints : public testing::Test {
 protected:
  CrashPoints()
      : board_path_(directory_.path("board")),
        variable_(std::string(kCrashBoardVariable) + "=" + board_path_),
        daemon_(kCycleConfig, {variable_}, PQD_BIN_DIR "/hooked") {
    write_file(board_path_, std::string(sizeof(CrashBoard), '\0'));
    board_ = map_crash_board(board_path_);
  }

  void begin_load(uint64_t number) {
    LoadOptions options = cycle_load(number + 1, number);
    options.environment = {variable_};
    load_ = std::make_unique<Load>(daemon_.socket(), options);
    load_->allow(100);
  }
  void end_load() {
    EXPECT_EQ(load_->finish(), "");
    const LoadJudgement judged = judge(*load_);
    EXPECT_EQ(judged.broken, std::vector<std::string>());
    acknowledged_ += judged.figures.acknowledged;
    load_.reset();
  }

  // Points of this name are met only where somebody keeps the daemon's descriptors.
  static bool wants_keeper(std::string_view point) { return point.starts_with("kept-"); }

  void serve_under_keeper() {
    daemon_.stop();
    daemon_.serve_under(&keeper_);
    repair();
  }

  bool struck() const { return board_->left.load() < 1; }

  // It has said who it is, and is dead, if perhaps not buried.
  bool is_dead() const {
    const int32_t pid = board_->dying.load();
    if (pid == 0) return false;
    const std::string stat = read_file("/proc/" + std::to_string(pid) + "/stat");
    const size_t name_end = stat.rfind(')');
    return name_end == std::string::npos || stat.substr(name_end, 3) == ") Z" ||
           stat.substr(name_end, 3) == ") X";
  }

  // Until the process that reaches the point for the n-th time is dead.
  bool strike(uint32_t number, int32_t times) {
    board_->dying.store(0);
    board_->left.store(times);
    board_->armed.store(number);
    for (int i = 0; i < kProvocations && !struck(); ++i) {
      load_->allow(20);
      if (eventually([this] { return struck(); }, kPatience)) break;
      provoke(i % 6);
    }
    board_->armed.store(0);
    return struck() && eventually([this] { return is_dead(); });
  }

  // Some points are only met when something begins or ends.
  void provoke(int how) {
    if (how == 0) ask();
    if (how == 1) daemon_.kill_engine();
    if (how == 2) load_->restart_consumer(random_() % 3);
    if (how == 3) load_->restart_producer(random_() % 3);
    if (how == 4) daemon_.stop();
    if (how == 5) daemon_.kill();
    repair();
  }

  // Once: it may be this session at which the daemon dies.
  void ask() {
    auto client = Client::connect({.socket = daemon_.socket(), .reconnect_timeout_ms = 0});
    if (client) (void)client->health();
  }

  void repair() {
    // It may die once more while it starts.
    for (int i = 0; i < 10 && !daemon_.running(); ++i) {
      daemon_.kill();
      if (daemon_.start()) break;
      daemon_.kill();
    }
    load_->restart_the_dead();
    load_->engine_died();
  }

  bool everything_goes_on() {
    load_->allow(60);
    // Who died may have been on its way when we looked.
    const uint64_t wanted = load_->board().handled.load() + 20;
    return eventually([&] {
      if (!daemon_.running()) repair();
      load_->restart_the_dead();
      return load_->board().handled.load() >= wanted;
    });
  }

  TempDir directory_;
  DescriptorKeeper keeper_;
  std::string board_path_;
  std::string variable_;
  Daemon daemon_;
  CrashBoard* board_ = nullptr;
  std::unique_ptr<Load> load_;
  std::mt19937_64 random_{1};
  uint64_t acknowledged_ = 0;
};

TEST_F(CrashPoints, EachEndsAProcessUnderLoadAndNothingIsLost) {
  ASSERT_NE(board_, nullptr);
  ASSERT_TRUE(daemon_.start());
  const auto& points = crash_points();
  ASSERT_LE(points.size(), kCrashPointsMax);
  for (size_t i = 0; i < points.size(); ++i) {
    SCOPED_TRACE(points[i]);
    if (i % kPointsALoad == 0) begin_load(i / kPointsALoad);
    if (wants_keeper(points[i]) && !wants_keeper(points[i - 1])) serve_under_keeper();
    ASSERT_TRUE(strike(static_cast<uint32_t>(i + 1), 1 + static_cast<int32_t>(random_() % kTimesMax)))
        << "is never reached";
    repair();
    ASSERT_TRUE(everything_goes_on());
    if ((i + 1) % kPointsALoad == 0 || i + 1 == points.size()) end_load();
  }
  std::printf("%zu points, %lu jobs acknowledged\n", points.size(), acknowledged_);
}

// Every one of the sources is in the table, and the other way round.
TEST(CrashPointTable, HasThePointsOfTheSources) {
  std::set<std::string> written;
  const std::regex point("PQD_CRASH_POINT\\(\"([^\"]+)\"\\)");
  for (const char* house : {"/bindings", "/daemon", "/shm"}) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(std::string(PQD_SOURCE_DIR) + house)) {
      const std::string path = entry.path().string();
      if (!path.ends_with(".cpp") && !path.ends_with(".h")) continue;
      const std::string text = read_file(path);
      for (std::sregex_iterator at(text.begin(), text.end(), point), end; at != end; ++at)
        written.insert((*at)[1].str());
    }
  }
  EXPECT_EQ(written, std::set<std::string>(crash_points().begin(), crash_points().end()));
  EXPECT_GT(written.size(), 70u);
}

}  // namespace
}  // namespace pqd::test
