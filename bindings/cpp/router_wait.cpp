// The one way to wait: for something in one session or in any, with an eye on all of them.
#include <poll.h>

#include <algorithm>
#include <thread>

#include "bindings/cpp/client_router.h"
#include "shm/pause.h"

namespace pqd {
namespace {

// Spinning pays only where the daemon can run at the same time and somebody else is left for the rest.
constexpr unsigned kSpinCpusMin = 3;
constexpr unsigned kSpinRoundsFirst = 256;
constexpr unsigned kSpinRoundsMax = 8'192;

bool spinning_pays() {
  static const bool pays = std::thread::hardware_concurrency() >= kSpinCpusMin;
  return pays;
}

}  // namespace

bool ClientRouter::pump() {
  bool news = false;
  for (const auto& core : cores_) news |= core->pump();
  return news;
}

bool ClientRouter::any_away() const {
  return std::ranges::any_of(cores_, [](const auto& core) { return core->away(); });
}

// An attempt that is due is made in any case, so that a daemon that came back late is found.
bool ClientRouter::restore_due(const ClientCore* left) {
  bool back = false;
  for (const auto& core : cores_) {
    if (!core->away() || core.get() == left) continue;
    core->restore_if_due();
    back |= !core->away();
  }
  return back;
}

void ClientRouter::attend() {
  pump();
  for (const auto& core : cores_) core->look_at_socket();
  if (!any_away()) return;
  restore_due();
  pump();
  set_timer();
}

const ClientCore* ClientRouter::first_gone(const ClientCore* of) const {
  for (const auto& core : cores_)
    if ((of == nullptr || of == core.get()) && core->gone()) return core.get();
  return nullptr;
}

Waited ClientRouter::wait_until(const std::function<bool()>& ready, Deadline deadline, const ClientCore* of) {
  for (;;) {
    pump();
    if (ready()) return Waited::kReady;
    const bool late = deadline.passed();
    if (late) {
      for (const auto& core : cores_) core->look_at_socket();
    }
    const bool away = any_away();
    if (away) {
      if (restore_due()) continue;
      // What the daemon had said before it went still counts.
      pump();
      if (ready()) return Waited::kReady;
      if (first_gone(of) != nullptr) return Waited::kAway;
    }
    if (late) return Waited::kTimeout;
    if (!away && spin()) continue;
    for (const auto& core : cores_) core->arm_waiter();
    const bool news = pump();
    const bool done = ready();
    if (!done && !news) sleep(deadline, of);
    for (const auto& core : cores_) core->disarm_waiter();
    if (done) return Waited::kReady;
  }
}

// Changes when anything is published for any session.
uint32_t ClientRouter::bells() const {
  uint32_t sum = 0;
  for (const auto& core : cores_) sum += core->bell();
  return sum;
}

// True when something was published while we looked.
bool ClientRouter::spin() {
  if (!spinning_pays()) return false;
  const uint32_t before = bells();
  if (spin_rounds_ == 0) spin_rounds_ = kSpinRoundsFirst;
  for (unsigned round = 0; round < spin_rounds_; ++round) {
    if (bells() != before) {
      spin_rounds_ = std::min(spin_rounds_ * 2, kSpinRoundsMax);
      return true;
    }
    pause_briefly();
  }
  spin_rounds_ = std::max(spin_rounds_ / 2, 1u);
  return false;
}

void ClientRouter::sleep(Deadline deadline, const ClientCore* of) {
  std::array<pollfd, 2 * limits::kPartitionsMax> wanted;
  std::array<ClientCore*, limits::kPartitionsMax> whose;
  size_t count = 0;
  for (const auto& core : cores_) {
    deadline = earlier(deadline, core->wake_at(of == nullptr || of == core.get()));
    if (core->away()) continue;
    whose[count] = core.get();
    core->add_to(std::span(wanted).subspan(2 * count++).first<2>());
  }
  if (::poll(wanted.data(), 2 * count, static_cast<int>(deadline.left().count())) <= 0) return;
  for (size_t i = 0; i < count; ++i) whose[i]->woken(std::span(wanted).subspan(2 * i).first<2>());
}

Failure ClientRouter::waited_failure(Waited waited, std::string_view what, const ClientCore* of) const {
  const ClientCore* const gone = waited == Waited::kAway ? first_gone(of) : nullptr;
  if (gone != nullptr) return gone->away_failure();
  return {Error::kRequestTimeout, std::string(what) + " was not decided within the time; it may still be", 0};
}

}  // namespace pqd
