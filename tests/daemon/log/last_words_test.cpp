#include "daemon/log/last_words.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <system_error>
#include <thread>

namespace pqd {
namespace {

// A process of its own for each, by gtest's EXPECT_EXIT.
class LastWordsTest : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  static void end_as_engine() {
    ::unsetenv("JOURNAL_STREAM");
    end_without_memory("engine", "It comes back", 70);
  }
};

constexpr const char* kNoMemoryLine =
    "^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:.]{12} critical engine: no memory is left: raise .*\\. It comes "
    "back\n$";
constexpr const char* kNoThreadLine =
    "^[0-9 :.-]+ critical engine: no thread can be made: raise .*\\. It comes back\n$";

// What operator new does when malloc() has nothing, without taking this machine's memory.
TEST_F(LastWordsTest, SayThatNoMemoryIsLeftAndEndWithTheStatus) {
  EXPECT_EXIT((end_as_engine(), std::get_new_handler()()), testing::ExitedWithCode(70), kNoMemoryLine);
}

TEST_F(LastWordsTest, AreTheSameInAnyThread) {
  EXPECT_EXIT((end_as_engine(), std::thread([] { std::get_new_handler()(); }).join()),
              testing::ExitedWithCode(70), kNoMemoryLine);
}

TEST_F(LastWordsTest, SayThatNoThreadCanBeMade) {
  EXPECT_EXIT(
      {
        end_as_engine();
        std::thread([] {
          throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again));
        }).join();
      },
      testing::ExitedWithCode(70), kNoThreadLine);
}

TEST_F(LastWordsTest, AreNotSaidOfAMistake) {
  EXPECT_EXIT(
      {
        end_as_engine();
        std::thread([] {
          throw std::system_error(std::make_error_code(std::errc::invalid_argument));
        }).join();
      },
      testing::KilledBySignal(SIGABRT), "terminate called");
}

}  // namespace
}  // namespace pqd
