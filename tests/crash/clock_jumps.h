// The rig of tests about clocks: a daemon whose engine sees the system's clock set, and the machine asleep,
// as a test says; everybody else has the real time.
#pragma once

#include <gtest/gtest.h>

#include <ctime>

#include "bindings/cpp/client.h"
#include "core/schedules.h"
#include "tests/crash/cycles.h"
#include "tests/crash/shifted_clock.h"
#include "tests/support/daemon.h"
#include "tests/support/eventually.h"

namespace pqd::test {

inline constexpr int64_t kHour = 3600 * kSecondNs;
inline constexpr int64_t kYear = 365 * 24 * kHour;

class ClockJumps : public testing::Test {
 protected:
  ClockJumps()
      : path_(directory_.path("shift")),
        daemon_(kCycleConfig, {std::string(kClockShiftVariable) + "=" + path_}, PQD_BIN_DIR "/hooked") {
    write_file(path_, std::string(sizeof(ClockShift), '\0'));
    shift_ = map_clock_shift(path_);
  }
  void SetUp() override {
    ASSERT_NE(shift_, nullptr);
    ASSERT_TRUE(daemon_.start());
  }
  void set_clock(int64_t years) { shift_->system_ns.store(years * kYear); }
  bool engine_has_noticed() const { return daemon_.log().find("behind the system's") != std::string::npos; }
  Client connect() {
    auto client = Client::connect({.socket = daemon_.socket()});
    EXPECT_TRUE(client) << (client ? "" : client.error().text);
    return std::move(*client);
  }
  static JobId submit(Client& client, const SubmitRequest& request) {
    const auto ticket = client.submit(request);
    const auto outcome = ticket ? client.wait(*ticket, kWatchdog) : std::unexpected(ticket.error());
    EXPECT_TRUE(outcome) << (outcome ? "" : outcome.error().text);
    return outcome ? outcome->id : JobId();
  }
  // Half past two each day, with jobs that nobody takes.
  void keep_daily(Client& client) {
    ScheduleRequest request{.name = "daily", .spec = "30 2 * * *"};
    request.job.type = "daily";
    request.job.queue_timeout_ms = 0;
    const auto set = client.cron_set(request);
    ASSERT_TRUE(set) << set.error().text;
  }
  static ScheduleInfo daily(Client& client) {
    const auto list = client.cron_list("daily");
    EXPECT_TRUE(list && list->size() == 1);
    return list && list->size() == 1 ? list->front() : ScheduleInfo();
  }
  // When its jobs were due, latest first.
  static std::vector<TimeNs> runs_of_daily(Client& client) {
    std::vector<TimeNs> due;
    const auto jobs = client.list({.type = "daily"});
    EXPECT_TRUE(jobs) << (jobs ? "" : jobs.error().text);
    for (size_t i = 0; jobs && i < jobs->size(); ++i) {
      due.push_back(static_cast<TimeNs>((*jobs)[i].core.id.unix_ms()) * kMillisecondNs);
      EXPECT_EQ((*jobs)[i].core.id, run_id("daily", due.back()));
    }
    return due;
  }
  static TimeNs real_ns() { return std::time(nullptr) * kSecondNs; }
  static int64_t in_an_hour() { return (std::time(nullptr) + 3600) * 1000; }

  TempDir directory_;
  std::string path_;
  ClockShift* shift_ = nullptr;
  Daemon daemon_;
};

}  // namespace pqd::test
