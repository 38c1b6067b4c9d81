/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/mc146818rtc.c - MC146818A real-time clock plus RAM (Motorola ADI856)
 *
 *   00 seconds 02 minutes 04 hours 06 weekday 07 day 08 month 09 year; 01 03 05 alarm (C0..FF: any)
 *   0A UIP DV2:0 RS3:0      0B SET PIE AIE UIE SQWE DM 24/12 DSE      0C IRQF PF AF UF      0D VRT
 *   0E..7F memory; 32 century (BCD or binary as DM says), as PC firmware has it
 *
 * Time is not ticked: unix_ns() = clock + offset. The flags of register C are brought up to date when somebody looks or
 * a timer comes due, and timers are armed only for interrupts that are enabled. Data sheet: "Update cycle",
 * "Interrupts".
 */
#include "hw/timer/mc146818rtc.h"
#include "hw/isa/isa.h"
#include "lib/bits.h"

enum {
    R_SEC = 0, R_SEC_ALARM, R_MIN, R_MIN_ALARM, R_HOUR, R_HOUR_ALARM, R_WEEKDAY, R_DAY, R_MONTH, R_YEAR,
    R_A, R_B, R_C, R_D,
};
enum { A_UIP = 0x80, A_DV = 0x70, A_DV_RESET = 0x60, A_RS = 0x0F };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_DM = 0x04, B_24 = 0x02 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10 };
enum { D_VRT = 0x80 };

/* UIP goes up this long before the registers change (32.768 kHz time base: t_BUC). */
#define UIP_NS 244141

static int64_t unix_ns(const struct mc146818rtc *s)
{
    return clock_get_ns(s->clock) + s->offset_ns;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

static int64_t unix_s(const struct mc146818rtc *s)
{
    return floor_div(unix_ns(s), NS_PER_SEC);
}

/* ---- register bytes <-> date ---- */

static uint8_t encode(const struct mc146818rtc *s, unsigned v)
{
    return s->cmos[R_B] & B_DM ? v : (v / 10) << 4 | v % 10;
}

static unsigned decode(const struct mc146818rtc *s, uint8_t v)
{
    return s->cmos[R_B] & B_DM ? v : (v >> 4) * 10 + (v & 0xF);
}

static uint8_t encode_hour(const struct mc146818rtc *s, unsigned h)
{
    if (s->cmos[R_B] & B_24) {
        return encode(s, h);
    }
    return encode(s, h % 12 ? h % 12 : 12) | (h >= 12 ? 0x80 : 0);
}

static unsigned decode_hour(const struct mc146818rtc *s, uint8_t v)
{
    unsigned h;

    if (s->cmos[R_B] & B_24) {
        return decode(s, v);
    }
    h = decode(s, v & 0x7F) % 12;
    return v & 0x80 ? h + 12 : h;
}

/* Days since 1970-01-01 of a date in the Gregorian calendar; month 1..12 */
static int64_t days_of(int year, unsigned month, unsigned day)
{
    int y = month <= 2 ? year - 1 : year;
    int era = (int)floor_div(y, 400);
    unsigned yoe = (unsigned)(y - era * 400);
    unsigned doy = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;

    return (int64_t)era * 146097 + (int64_t)(yoe * 365 + yoe / 4 - yoe / 100 + doy) - 719468;
}

/* The inverse */
static void date_of(int64_t days, int *year, unsigned *month, unsigned *day)
{
    int64_t z = days + 719468, era = floor_div(z, 146097);
    unsigned doe = (unsigned)(z - era * 146097);
    unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;

    *day = doy - (153 * mp + 2) / 5 + 1;
    *month = mp < 10 ? mp + 3 : mp - 9;
    *year = (int)(yoe + era * 400) + (*month <= 2);
}

/* Bring the ten clock bytes up to date. */
static void refresh(struct mc146818rtc *s)
{
    int64_t t, days;
    unsigned sec, month, day;
    int year;

    if (s->held) {
        return;
    }
    t = unix_s(s);
    days = floor_div(t, 86400);
    sec = (unsigned)(t - days * 86400);
    date_of(days, &year, &month, &day);
    s->cmos[R_SEC] = encode(s, sec % 60);
    s->cmos[R_MIN] = encode(s, sec / 60 % 60);
    s->cmos[R_HOUR] = encode_hour(s, sec / 3600);
    s->cmos[R_WEEKDAY] = encode(s, (unsigned)((days % 7 + 7 + 4) % 7) + 1);
    s->cmos[R_DAY] = encode(s, day);
    s->cmos[R_MONTH] = encode(s, month);
    s->cmos[R_YEAR] = encode(s, (unsigned)year % 100);
    s->cmos[CMOS_CENTURY] = encode(s, (unsigned)year / 100 % 100);
}

/* The clock bytes as Unix time; what is no date is taken as it comes */
static int64_t written_time(const struct mc146818rtc *s)
{
    int year = (int)(decode(s, s->cmos[CMOS_CENTURY]) * 100 + decode(s, s->cmos[R_YEAR]));
    unsigned month = MIN(MAX(decode(s, s->cmos[R_MONTH]), 1u), 12u), day = decode(s, s->cmos[R_DAY]);

    return days_of(year, month, day) * 86400 + decode_hour(s, s->cmos[R_HOUR]) * 3600 + decode(s, s->cmos[R_MIN]) * 60 +
           decode(s, s->cmos[R_SEC]);
}

static void set_time(struct mc146818rtc *s, int64_t t, int64_t frac_ns)
{
    s->offset_ns = t * NS_PER_SEC + frac_ns - clock_get_ns(s->clock);
    s->seen_s = t;
}

/* ---- flags and interrupts ---- */

static bool alarm_any(uint8_t v)
{
    return v >= 0xC0;
}

/*
 * First second after @from that the alarm bytes describe, or -1. Skips to the next hour or minute: at most 25 + 61 + 61
 * steps.
 */
static int64_t next_alarm(const struct mc146818rtc *s, int64_t from)
{
    uint8_t ah = s->cmos[R_HOUR_ALARM], am = s->cmos[R_MIN_ALARM], as = s->cmos[R_SEC_ALARM];
    int64_t t = from + 1;

    for (unsigned step = 0; step < 160; step++) {
        unsigned sod = (unsigned)(t - floor_div(t, 86400) * 86400);

        if (!alarm_any(ah) && decode_hour(s, ah) != sod / 3600) {
            t += 3600 - sod % 3600;
        } else if (!alarm_any(am) && decode(s, am) != sod / 60 % 60) {
            t += 60 - sod % 60;
        } else if (!alarm_any(as) && decode(s, as) != sod % 60) {
            t++;
        } else {
            return t;
        }
    }
    return -1;
}

static int64_t period_ns(const struct mc146818rtc *s)
{
    unsigned rs = s->cmos[R_A] & A_RS;

    if (!rs || (s->cmos[R_A] & A_DV) >= A_DV_RESET) {
        return 0;
    }
    rs = rs <= 2 ? rs + 7 : rs;             /* 32.768 kHz: rates 1 and 2 are those of 8 and 9 */
    return clock_ticks_to_ns(1u << (rs - 1), 32768);
}

static void update_irq(struct mc146818rtc *s)
{
    bool on = s->cmos[R_C] & s->cmos[R_B] & (C_PF | C_AF | C_UF);

    s->cmos[R_C] = on ? s->cmos[R_C] | C_IRQF : s->cmos[R_C] & ~C_IRQF;
    irq_set(s->irq, on);
}

/* Note what happened since the last look. */
static void catch_up(struct mc146818rtc *s)
{
    int64_t now_s = unix_s(s), period = period_ns(s), now_v = clock_get_ns(CLOCK_VIRTUAL), alarm;

    if (!s->held && now_s > s->seen_s) {
        s->cmos[R_C] |= C_UF;
        alarm = next_alarm(s, s->seen_s);
        if (alarm >= 0 && alarm <= now_s) {
            s->cmos[R_C] |= C_AF;
        }
    }
    s->seen_s = s->held ? s->seen_s : now_s;
    if (period && now_v - s->periodic_ns >= period) {
        s->cmos[R_C] |= C_PF;
        s->periodic_ns += (now_v - s->periodic_ns) / period * period;
    }
    update_irq(s);
}

/* Arm for the next interrupt that is enabled and not yet pending. */
static void schedule(struct mc146818rtc *s)
{
    uint8_t want = s->cmos[R_B] & ~s->cmos[R_C];
    int64_t next = -1, period = period_ns(s);

    if (!s->held) {
        int64_t alarm = want & B_AIE ? next_alarm(s, s->seen_s) : -1;

        next = want & B_UIE ? s->seen_s + 1 : alarm;
        next = alarm >= 0 ? MIN(next, alarm) : next;
    }
    if (next >= 0) {
        timer_arm(&s->update_timer, next * NS_PER_SEC - s->offset_ns);
    } else {
        timer_disarm(&s->update_timer);
    }
    if (period && (want & B_PIE)) {
        timer_arm(&s->periodic_timer, s->periodic_ns + period);
    } else {
        timer_disarm(&s->periodic_timer);
    }
}

static void due(void *opaque)
{
    struct mc146818rtc *s = opaque;

    catch_up(s);
    schedule(s);
}

/* ---- registers ---- */

/* SET or a divider in reset stops the clock; leaving that state starts it with what is in the registers. */
static void hold(struct mc146818rtc *s, bool held, int64_t start_frac_ns)
{
    if (held && !s->held) {
        refresh(s);
        s->held_frac_ns = unix_ns(s) - unix_s(s) * NS_PER_SEC;
        s->held = true;
    } else if (!held && s->held) {
        s->held = false;
        set_time(s, written_time(s), start_frac_ns >= 0 ? start_frac_ns : s->held_frac_ns);
    }
}

static void a_write(struct mc146818rtc *s, uint8_t v)
{
    bool was_reset = (s->cmos[R_A] & A_DV) >= A_DV_RESET, reset = (v & A_DV) >= A_DV_RESET;

    s->cmos[R_A] = v & ~A_UIP;
    s->periodic_ns = clock_get_ns(CLOCK_VIRTUAL);
    /* when the divider is let go, the first update comes half a second later */
    hold(s, reset || (s->cmos[R_B] & B_SET), was_reset && !reset ? NS_PER_SEC / 2 : -1);
}

static void b_write(struct mc146818rtc *s, uint8_t v)
{
    if (v & B_SET) {
        v &= ~B_UIE;                        /* SET clears UIE */
    }
    if (!s->held) {
        refresh(s);
    }
    if ((v ^ s->cmos[R_B]) & B_PIE) {
        s->periodic_ns = clock_get_ns(CLOCK_VIRTUAL);
    }
    if (v & B_SET) {
        hold(s, true, -1);                  /* in the old format, as the data sheet has it: DM does not convert */
        s->cmos[R_B] = v;
    } else {
        s->cmos[R_B] = v;
        hold(s, (s->cmos[R_A] & A_DV) >= A_DV_RESET, -1);
    }
    update_irq(s);
}

static void reg_write(struct mc146818rtc *s, unsigned n, uint8_t v)
{
    catch_up(s);
    switch (n) {
    case R_A:
        a_write(s, v);
        break;
    case R_B:
        b_write(s, v);
        break;
    case R_C:
    case R_D:
        break;                              /* read-only */
    case R_SEC: case R_MIN: case R_HOUR: case R_WEEKDAY: case R_DAY: case R_MONTH: case R_YEAR: case CMOS_CENTURY:
        refresh(s);
        s->cmos[n] = v;
        if (!s->held && n != R_WEEKDAY) {
            set_time(s, written_time(s), unix_ns(s) - unix_s(s) * NS_PER_SEC);
        }
        break;
    default:
        s->cmos[n] = v;
        break;
    }
    schedule(s);
}

static uint8_t reg_read(struct mc146818rtc *s, unsigned n)
{
    uint8_t v;

    switch (n) {
    case R_SEC: case R_MIN: case R_HOUR: case R_WEEKDAY: case R_DAY: case R_MONTH: case R_YEAR: case CMOS_CENTURY:
        refresh(s);
        return s->cmos[n];
    case R_A:
        v = s->cmos[R_A];
        if (!s->held && unix_ns(s) - unix_s(s) * NS_PER_SEC >= NS_PER_SEC - UIP_NS) {
            v |= A_UIP;
        }
        return v;
    case R_C:
        catch_up(s);
        v = s->cmos[R_C];
        s->cmos[R_C] = 0;
        update_irq(s);
        schedule(s);
        return v;
    case R_D:
        return D_VRT;
    default:
        return s->cmos[n];
    }
}

static uint64_t io_read(void *opaque, uint64_t off, unsigned size)
{
    struct mc146818rtc *s = opaque;

    return off ? reg_read(s, s->index) : 0xFF;  /* the index port is write-only */
}

static void io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct mc146818rtc *s = opaque;

    if (off) {
        reg_write(s, s->index, val);
    } else {
        s->index = val & 0x7F;              /* bit 7 masks NMI; no source of NMI here looks at it */
    }
}

static const struct region_ops io_ops = { io_read, io_write, 1, 1 };

/* ---- what firmware keeps in CMOS memory ---- */

void rtc_cmos_set(struct mc146818rtc *s, unsigned at, uint8_t v)
{
    if (at > R_D && at < sizeof(s->cmos)) {
        s->cmos[at] = v;
    }
}

static void cmos_word(struct mc146818rtc *s, unsigned at, uint64_t v, uint64_t max)
{
    v = MIN(v, max);
    for (unsigned i = 0; v || i < 2; i++) {
        rtc_cmos_set(s, at + i, v);
        v >>= 8;
    }
}

void rtc_set_memory(struct mc146818rtc *s, uint64_t below_4g, uint64_t above_4g)
{
    uint64_t ext = below_4g > MiB ? (below_4g - MiB) / KiB : 0;

    cmos_word(s, 0x15, 640, 0xFFFF);                                            /* base memory, KiB */
    cmos_word(s, 0x17, ext, 0xFFFF);                                            /* extended memory above 1 MiB, KiB */
    cmos_word(s, 0x30, ext, 0xFFFF);
    /* above 16 MiB, 64 KiB */
    cmos_word(s, 0x34, below_4g > 16 * MiB ? (below_4g - 16 * MiB) / (64 * KiB) : 0, 0xFFFF);
    cmos_word(s, 0x5B, above_4g / (64 * KiB), 0xFFFFFF);                        /* above 4 GiB, 64 KiB */
}

/* ---- device ---- */

static bool rtc_realize(struct device *d, Error **errp)
{
    struct mc146818rtc *s = (struct mc146818rtc *)d;

    timer_setup(&s->update_timer, s->clock, due, s);
    timer_setup(&s->periodic_timer, CLOCK_VIRTUAL, due, s);
    region_init_io(&s->io, "rtc", 2, &io_ops, s);
    isa_io_add(d, 0x70, &s->io);
    s->cmos[R_A] = 0x26;                    /* 32.768 kHz, 1024 Hz: as firmware sets it */
    s->cmos[R_B] = B_24;
    s->seen_s = unix_s(s);
    return true;
}

static void rtc_unrealize(struct device *d)
{
    struct mc146818rtc *s = (struct mc146818rtc *)d;

    timer_fini(&s->update_timer);
    timer_fini(&s->periodic_timer);
    region_fini(&s->io);
}

/* RESET# clears the enables and flags and nothing else: the chip has a battery ("RESET"). */
static void rtc_reset(struct device *d)
{
    struct mc146818rtc *s = (struct mc146818rtc *)d;

    catch_up(s);
    s->index = 0;
    s->cmos[R_B] &= ~(B_PIE | B_AIE | B_UIE | 0x08);
    s->cmos[R_C] = 0;
    update_irq(s);
    schedule(s);
}

const struct device_type mc146818rtc_type = {
    .name = TYPE_MC146818RTC,
    .desc = "MC146818 real-time clock",
    .bus = "ISA",
    .size = sizeof(struct mc146818rtc),
    .category = DEVICE_CAT_MISC,
    .realize = rtc_realize,
    .unrealize = rtc_unrealize,
    .reset = rtc_reset,
};
