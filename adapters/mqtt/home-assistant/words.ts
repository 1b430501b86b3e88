// The short forms of Home Assistant's MQTT discovery (developers of small devices save octets), as far as dmgw reads the long ones.

const pairs = (table: string): ReadonlyMap<string, string> =>
  new Map(
    table
      .trim()
      .split(/\s+/)
      .map((pair) => pair.split("=") as [string, string]),
  );

/** Keys of a config, short to long. */
export const shortKeys = pairs(`
  dev=device  cmps=components  p=platform  o=origin  uniq_id=unique_id  migr_discvry=migrate_discovery  name=name
  dev_cla=device_class  unit_of_meas=unit_of_measurement  stat_cla=state_class  sug_dsp_prc=suggested_display_precision
  e=encoding  ret=retain  opt=optimistic  ops=options

  avty=availability  avty_mode=availability_mode  avty_t=availability_topic  avty_tpl=availability_template
  t=topic  pl_avail=payload_available  pl_not_avail=payload_not_available

  stat_t=state_topic  stat_tpl=state_template  stat_val_tpl=state_value_template  val_tpl=value_template
  cmd_t=command_topic  cmd_tpl=command_template
  pl_on=payload_on  pl_off=payload_off  stat_on=state_on  stat_off=state_off  pl_prs=payload_press  pl_rst=payload_reset

  bri_cmd_t=brightness_command_topic  bri_cmd_tpl=brightness_command_template  bri_scl=brightness_scale
  bri_stat_t=brightness_state_topic  bri_val_tpl=brightness_value_template  on_cmd_type=on_command_type
  clrm=color_mode  clrm_stat_t=color_mode_state_topic  clrm_val_tpl=color_mode_value_template  sup_clrm=supported_color_modes
  clr_temp_cmd_t=color_temp_command_topic  clr_temp_cmd_tpl=color_temp_command_template  clr_temp_k=color_temp_kelvin
  clr_temp_stat_t=color_temp_state_topic  clr_temp_val_tpl=color_temp_value_template
  max_mirs=max_mireds  min_mirs=min_mireds  max_k=max_kelvin  min_k=min_kelvin
  fx_cmd_t=effect_command_topic  fx_cmd_tpl=effect_command_template  fx_list=effect_list
  fx_stat_t=effect_state_topic  fx_val_tpl=effect_value_template
  hs_cmd_t=hs_command_topic  hs_cmd_tpl=hs_command_template  hs_stat_t=hs_state_topic  hs_val_tpl=hs_value_template
  xy_cmd_t=xy_command_topic  xy_cmd_tpl=xy_command_template  xy_stat_t=xy_state_topic  xy_val_tpl=xy_value_template
  rgb_cmd_t=rgb_command_topic  rgb_cmd_tpl=rgb_command_template  rgb_stat_t=rgb_state_topic  rgb_val_tpl=rgb_value_template
  rgbw_cmd_t=rgbw_command_topic  rgbw_cmd_tpl=rgbw_command_template
  rgbw_stat_t=rgbw_state_topic  rgbw_val_tpl=rgbw_value_template
  rgbww_cmd_t=rgbww_command_topic  rgbww_cmd_tpl=rgbww_command_template
  rgbww_stat_t=rgbww_state_topic  rgbww_val_tpl=rgbww_value_template
  whit_cmd_t=white_command_topic  whit_scl=white_scale

  pos_t=position_topic  pos_tpl=position_template  pos_clsd=position_closed  pos_open=position_open  pos=reports_position
  set_pos_t=set_position_topic  set_pos_tpl=set_position_template
  pl_open=payload_open  pl_cls=payload_close  pl_stop=payload_stop
  stat_open=state_open  stat_opening=state_opening  stat_clsd=state_closed  stat_closing=state_closing
  stat_stopped=state_stopped
  tilt_cmd_t=tilt_command_topic  tilt_cmd_tpl=tilt_command_template  tilt_status_t=tilt_status_topic
  tilt_status_tpl=tilt_status_template  tilt_opt=tilt_optimistic

  act_t=action_topic  act_tpl=action_template  modes=modes  mode_cmd_t=mode_command_topic  mode_cmd_tpl=mode_command_template
  mode_stat_t=mode_state_topic  mode_stat_tpl=mode_state_template
  curr_temp_t=current_temperature_topic  curr_temp_tpl=current_temperature_template
  curr_hum_t=current_humidity_topic  curr_hum_tpl=current_humidity_template
  fan_mode_cmd_t=fan_mode_command_topic  fan_mode_cmd_tpl=fan_mode_command_template
  fan_mode_stat_t=fan_mode_state_topic  fan_mode_stat_tpl=fan_mode_state_template
  swing_mode_cmd_t=swing_mode_command_topic  swing_mode_cmd_tpl=swing_mode_command_template
  swing_mode_stat_t=swing_mode_state_topic  swing_mode_stat_tpl=swing_mode_state_template
  swing_h_mode_cmd_t=swing_horizontal_mode_command_topic  swing_h_mode_cmd_tpl=swing_horizontal_mode_command_template
  swing_h_mode_stat_t=swing_horizontal_mode_state_topic  swing_h_mode_stat_tpl=swing_horizontal_mode_state_template
  swing_h_modes=swing_horizontal_modes
  pr_mode_cmd_t=preset_mode_command_topic  pr_mode_cmd_tpl=preset_mode_command_template
  pr_mode_stat_t=preset_mode_state_topic  pr_mode_val_tpl=preset_mode_value_template  pr_modes=preset_modes
  temp_cmd_t=temperature_command_topic  temp_cmd_tpl=temperature_command_template
  temp_stat_t=temperature_state_topic  temp_stat_tpl=temperature_state_template  temp_unit=temperature_unit
  temp_hi_cmd_t=temperature_high_command_topic  temp_hi_cmd_tpl=temperature_high_command_template
  temp_hi_stat_t=temperature_high_state_topic  temp_hi_stat_tpl=temperature_high_state_template
  temp_lo_cmd_t=temperature_low_command_topic  temp_lo_cmd_tpl=temperature_low_command_template
  temp_lo_stat_t=temperature_low_state_topic  temp_lo_stat_tpl=temperature_low_state_template
  hum_cmd_t=target_humidity_command_topic  hum_cmd_tpl=target_humidity_command_template
  hum_stat_t=target_humidity_state_topic  hum_state_tpl=target_humidity_state_template
  max_hum=max_humidity  min_hum=min_humidity
  pow_cmd_t=power_command_topic  pow_cmd_tpl=power_command_template

  dir_cmd_t=direction_command_topic  dir_cmd_tpl=direction_command_template
  dir_stat_t=direction_state_topic  dir_val_tpl=direction_value_template
  osc_cmd_t=oscillation_command_topic  osc_cmd_tpl=oscillation_command_template
  osc_stat_t=oscillation_state_topic  osc_val_tpl=oscillation_value_template
  pl_osc_on=payload_oscillation_on  pl_osc_off=payload_oscillation_off
  pct_cmd_t=percentage_command_topic  pct_cmd_tpl=percentage_command_template
  pct_stat_t=percentage_state_topic  pct_val_tpl=percentage_value_template  spd_rng_max=speed_range_max

  pl_lock=payload_lock  pl_unlk=payload_unlock  stat_jam=state_jammed  stat_locked=state_locked  stat_locking=state_locking
  stat_unlocked=state_unlocked  stat_unlocking=state_unlocking

  fanspd_lst=fan_speed_list  set_fan_spd_t=set_fan_speed_topic  send_cmd_t=send_command_topic  sup_feat=supported_features
  pl_strt=payload_start  pl_paus=payload_pause  pl_ret=payload_return_to_base  pl_cln_sp=payload_clean_spot
  pl_loc=payload_locate

  l_ver_t=latest_version_topic  l_ver_tpl=latest_version_template  evt_typ=event_types
`);

/** Keys of the `device` block, short to long. */
export const shortDeviceKeys = pairs(`
  ids=identifiers  cns=connections  mf=manufacturer  mdl=model  mdl_id=model_id  sw=sw_version  hw=hw_version
  sn=serial_number  sa=suggested_area  cu=configuration_url
`);
