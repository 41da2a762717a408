/** What a setting does to a thing in a room. */
export type DeviceMeaning = "trifling" | "hazard" | null;

const TEMPERATURE_KEY =
  /(?:^| )(?:temperature|temp|setpoint|set point|target temperature|celsius)(?: (?:c|celsius|degrees))?$/u;
const FAHRENHEIT = /(?:^| )(?:f|fahrenheit)$/u;
const LEVEL_KEY =
  /(?:^| )(?:brightness|volume|dim|dim level|light level|color|colour|hue|scene|fan speed|channel|playlist|blinds?|shade|curtain)(?: (?:percent|pct|level))?$/u;
const MINUTES_KEY = /(?:^| )(?:minutes|mins|duration minutes|duration min|run minutes)$/u;
const SPEED_KEY =
  /(?:^| )(?:speed|rpm|velocity|power|pressure|torque|force|thrust|amps|voltage|flow rate)(?: .*)?$/u;
const DOSE_KEY = /(?:^| )(?:dose|dosage|units|rate ml h|flow|bolus|mg|ml|micrograms|rate)(?: .*)?$/u;
const SAFE_VALUE =
  /^(?:lock|locked|close|closed|shut|arm|armed|arm (?:home|away|stay)|dim|night mode|eco|eco mode|home|dock|return to (?:base|dock)|stop|pause|standby|status|ring|beep|locate)$/u;
const HAZARD_VALUE =
  /^(?:unlock|unlocked|unlatch|open|opened|open .*|disarm|disarmed|off emergency.*|disable .*|take off|takeoff|launch|start engine|ignite|preheat|self clean|boost|max|maximum|full|full .*|emergency .*|override.*|bypass.*|release.*|dispense|inject|fire|reverse|flash|factory reset|shutdown|shut down|all off)$/u;

/**
 * Ordinary room temperatures 16–24 °C and water up to 55 °C; anything from 30 °C in a room or 60 °C elsewhere can hurt.
 * Proposed, not derived from law or data.
 */
export function readDeviceNumber(key: string, value: number, toolWords: string): DeviceMeaning {
  if (TEMPERATURE_KEY.test(key) || FAHRENHEIT.test(key))
    return readTemperature(
      FAHRENHEIT.test(key) || (value > 55 && value < 80 && /thermostat/u.test(toolWords))
        ? ((value - 32) * 5) / 9
        : value,
      toolWords,
    );
  if (LEVEL_KEY.test(key)) return value >= 0 && value <= 100 ? "trifling" : null;
  if (MINUTES_KEY.test(key)) return value <= 30 && value >= 0 ? "trifling" : value > 240 ? "hazard" : null;
  if (SPEED_KEY.test(key)) return value > 100 ? "hazard" : null;
  return DOSE_KEY.test(key) && /(?:pump|infusion|insulin|dose|ventilator|medication)/u.test(toolWords)
    ? "hazard"
    : null;
}

function readTemperature(celsius: number, toolWords: string): DeviceMeaning {
  if (/(?:oven|stove|kiln|furnace|fryer|iron|grill)/u.test(toolWords)) return celsius > 30 ? "hazard" : null;
  if (/(?:water|boiler|heater|tank)/u.test(toolWords))
    return celsius > 60 ? "hazard" : celsius >= 35 && celsius <= 55 ? "trifling" : null;
  if (/(?:fridge|freezer|refrigerator|cold|vaccine|incubator|reactor|server)/u.test(toolWords)) return null;
  if (celsius >= 16 && celsius <= 24) return "trifling";
  return celsius >= 30 || celsius <= 10 ? "hazard" : null;
}

/** Reads a command or state of a device. */
export function readDeviceState(words: string): DeviceMeaning {
  if (HAZARD_VALUE.test(words)) return "hazard";
  return SAFE_VALUE.test(words) ? "trifling" : null;
}

/** Things in a room that nobody is hurt by, and rooms that make nothing of it. */
export const HARMLESS_DEVICE =
  /(?:^| )(?:lamps?|lights?|light bulb|bulb|speaker|tv|television|radio|music|playlist|blinds?|curtains?|display|screen|projector|vacuum|fan|doorbell|clock|coffee machine|aquarium light|humidifier)(?= |$)/u;
export const HAZARD_PLACE =
  /(?:^| )(?:runway|emergency|operating (?:room|theatre)|icu|nursery|tunnel|stair(?:s|well|case)?|traffic|exit|surgery|theatre|ward|intensive care|airfield|railway|hospital)(?= |$)/u;
