// The timer wheel: never early, never later than a tick, at any distance, under starting, stopping and jumping time.
#include "../core/scene.h"

#include "../../shim-plugin/standalone/wheel.h"

static struct corod_wheel wheel;
static struct corod_timer timers[5000];
static uint64_t due[5000], now;
static uint32_t expired_count;

static void expired(struct corod_timer *timer, void *arg) {
  size_t i = (size_t)(timer - timers);
  (void)arg;
  CHECK(due[i] != 0 && due[i] <= now);
  CHECK(timer->previous == NULL);
  due[i] = 0;
  expired_count++;
}

static uint64_t state = 42;
static uint64_t random_number(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// Distances of every magnitude up to `most`, advanced exactly when the wheel asks for it.
static void distances(uint64_t most) {
  uint32_t n = 5000, wakes = 0;
  now = 123456789012345;
  corod_wheel_init(&wheel, now);
  expired_count = 0;
  for (uint32_t i = 0; i < n; i++) {
    due[i] = now + random_number() % (most >> random_number() % 40 | 1);
    due[i] = due[i] ? due[i] : 1;
    corod_timer_start(&wheel, &timers[i], due[i]);
  }
  while (expired_count < n) {
    uint64_t next = corod_wheel_next(&wheel), nearest = UINT64_MAX;
    CHECK(next != UINT64_MAX);
    for (uint32_t i = 0; i < n; i++)
      nearest = due[i] && due[i] < nearest ? due[i] : nearest;
    // Never later than the tick after the nearest timer.
    CHECK(next <= (nearest / COROD_TICK + 2) * COROD_TICK);
    CHECK(next > now || next + 2 * COROD_TICK > now);
    now = next > now ? next : now + 1;
    corod_wheel_advance(&wheel, now, expired, NULL);
    for (uint32_t i = 0; i < n; i++)
      CHECK(due[i] == 0 || due[i] + 2 * COROD_TICK > now);
    CHECK(++wakes < 10 * n);
  }
  CHECK(corod_wheel_next(&wheel) == UINT64_MAX);
}

// Time jumps: everything due comes, nothing else.
static void jumps(void) {
  now = 5;
  corod_wheel_init(&wheel, now);
  memset(due, 0, sizeof due);
  for (int round = 0; round < 3000; round++) {
    uint32_t i = (uint32_t)(random_number() % 300);
    if (random_number() % 4 == 0) {
      corod_timer_stop(&wheel, &timers[i]);
      corod_timer_stop(&wheel, &timers[i]); // of a stopped one: nothing
      due[i] = 0;
    } else { // also of one that is started: moved
      due[i] = now + random_number() % (1ull << (10 + random_number() % 38));
      due[i] = due[i] ? due[i] : 1;
      corod_timer_start(&wheel, &timers[i], due[i]);
    }
    if (random_number() % 3 == 0) {
      now += random_number() % (1ull << (5 + random_number() % 40));
      corod_wheel_advance(&wheel, now, expired, NULL);
      for (uint32_t t = 0; t < 300; t++)
        CHECK(due[t] == 0 || due[t] + 2 * COROD_TICK > now);
    }
  }
}

// A timer that starts itself again at once does not hold the loop.
static void restarts(struct corod_timer *timer, void *arg) {
  (void)arg;
  expired_count++;
  corod_timer_start(&wheel, timer, 0);
}

int main(void) {
  distances(1000000);           // 1 ms
  distances(10000000000);       // 10 s
  distances(100000000000000);   // a day
  distances(20000000000000000); // 231 days: farther than the wheel reaches
  jumps();
  corod_wheel_init(&wheel, 0);
  memset(timers, 0, sizeof timers);
  expired_count = 0;
  corod_timer_start(&wheel, &timers[0], 1);
  corod_wheel_advance(&wheel, COROD_TICK, restarts, NULL);
  CHECK_EQUAL(expired_count, 1);
  return 0;
}
